// Draws the diagrams in the colours of the page. Nothing is loaded from anywhere else.
(() => {
  const chosen = document.body.dataset.theme;
  const night = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = chosen === "dark" || (chosen !== "light" && night);
  const size = { useMaxWidth: false };
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    theme: dark ? "dark" : "neutral",
    flowchart: size,
    state: size,
  });
  addEventListener("DOMContentLoaded", () => mermaid.run());
})();
