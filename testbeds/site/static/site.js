// Draws the diagrams in the colours of the page. Nothing is loaded from anywhere else.
(() => {
  const SMALLEST = 0.7; // What does not fit shrinks to this; below it, letters are too small: it scrolls.
  const chosen = document.body.dataset.theme;
  const night = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = chosen === "dark" || (chosen !== "light" && night);
  const [ink, line, node, group, note] = dark
    ? ["#e6edf3", "#9aa5b1", "#26303b", "#191f26", "#3a2f10"]
    : ["#1b1f24", "#57606a", "#ffffff", "#eef1f4", "#fff4ce"];
  const page = dark ? "#131416" : "#ffffff";

  function fit(svg) {
    svg.style.minWidth = `${SMALLEST * parseFloat(svg.style.maxWidth)}px`;
  }

  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    theme: "base",
    themeVariables: {
      darkMode: dark,
      background: page,
      fontFamily: getComputedStyle(document.body).fontFamily,
      primaryColor: node,
      primaryTextColor: ink,
      primaryBorderColor: line,
      lineColor: line,
      textColor: ink,
      clusterBkg: group,
      clusterBorder: line,
      titleColor: ink,
      edgeLabelBackground: page,
      noteBkgColor: note,
      noteTextColor: ink,
      noteBorderColor: line,
    },
  });
  addEventListener("DOMContentLoaded", async () => {
    await mermaid.run();
    document.querySelectorAll("pre.mermaid > svg").forEach(fit);
  });
})();
