"""The fund-load rules once more, written from the specification alone.

This is the third opinion of the parity proof: plain, slow and obvious, standard library only, and
sharing no code with `sk-fundload`. It reads JSON, dates, amounts and primes by its own hand, so
that a fault in a library that the workload uses shows up as a difference.

What the specification leaves to the reader is decided here, once:

Lines
- A line ends at LF, or at the end of the file. Of CRs directly before an LF exactly one is dropped
  with it; further ones belong to the line (and are white space to JSON). At the end of a file
  without LF no CR is dropped: it is white space of the line, counts for its length, and stays in
  the text of its reject.
- A byte order mark (EF BB BF) is dropped once, at byte 0 of the file, also before a blank line.
  Any other one is part of its line, and so a parse error.
- Line numbers start at 1 and count every line, blank ones too. A line of nothing but space, tab and
  CR is blank; so is what follows the last LF when nothing does, and it is not counted.
- The length of a line is that of its bytes without its end and without the file's mark. 1 048 576
  is allowed, one more is too long. Too long wins over blank: a longer line of nothing but spaces is
  an `INPUT_PARSE_ERROR`, since it is judged without being held.

JSON
- RFC 8259 exactly, with white space around the value. Refused: invalid UTF-8 (encoded surrogates
  and overlong forms too), lone surrogate escapes anywhere, raw control characters in strings,
  leading zeros, a bare `.5`, `5.` or `+5`, NaN and Infinity, trailing commas, comments, anything
  after the value.
- Accepted: numbers of any size (`1e999`, ten thousand digits), `\\u0000`, empty keys, anything in
  a key that is ignored. No number is ever converted: it stays its text.
- Nesting: at most `MAX_DEPTH` = 512 containers open at once, the line's own object counted. Deeper
  is `INPUT_PARSE_ERROR` with empty ids, as any other text that the JSON reader refuses (RFC 8259,
  section 9, grants a limit). The reader uses no recursion, so depth can never crash it.
- Keys are compared after their escapes are decoded (`"\\u0069d"` is `id`); the last of equal keys
  counts, also where an earlier one would have been wrong. A value that is no object is a parse
  error.

Fields
- White space that is dropped at the ends of a string is space, tab, CR and LF (escaped ones too);
  no other Unicode space is.
- id, customer_id: an integer is a JSON number without fraction and exponent. `1.0` and `1e3` are
  none, nor are true and null: parse error. An integer is judged by its text: `-5` and `-0` are
  integers but not digits, so `INVALID_ID_FORMAT`, as is a string of any other form. Digits are
  ASCII `0` to `9`.
- load_amount: prefixes are upper case, with no space between prefix and digits. Zero and leading
  zeros are fine; there is no sign.
- time: a date of four, two and two digits that exists, `T` (no space), a time of two, two and two;
  a point needs one to six digits; then `Z`, or sign, hours 00-23, colon, minutes 00-59. `-00:00`
  is UTC.
- Types are judged first, all four of them: an id of wrong form beside a missing time is a parse
  error.
- An unreadable line shows the id and the customer_id that are readable, each judged alone: of the
  right type and format, whatever else is wrong in the line. No JSON object, no ids.

Deciding
- A later occurrence is compared with the first readable one of its id, never with one in between:
  replay is the same customer (as text), cents and instant (an offset may differ), else conflict.
- A declined attempt makes its id known all the same; an unreadable line does not.
- Significant digits of an id start at its first digit that is not zero.

A reject is `{"line_no":...,"reason":...,"text":...}` in compact JSON, raw UTF-8, one per unreadable
line. Its text is the first 1024 bytes of the line (without end and mark), decoded with U+FFFD for
what is no UTF-8; control characters are escaped in JSON's short form where it has one, else as
`\\u001f`.
"""

from fundload_reference._adjudicate import Outcome, adjudicate
from fundload_reference._attempt import Attempt, Unreadable, read_attempt
from fundload_reference._json import MAX_DEPTH, Json, JsonError, Number, parse_json
from fundload_reference._lines import MAX_LINE_BYTES, Line, read_lines
from fundload_reference._prime import is_prime
from fundload_reference._reasons import Reason
from fundload_reference._rules import RULE_SETS, Decider, RuleSet
from fundload_reference._time import day_of, parse_instant

__all__ = [
    "MAX_DEPTH",
    "MAX_LINE_BYTES",
    "RULE_SETS",
    "Attempt",
    "Decider",
    "Json",
    "JsonError",
    "Line",
    "Number",
    "Outcome",
    "Reason",
    "RuleSet",
    "Unreadable",
    "adjudicate",
    "day_of",
    "is_prime",
    "parse_instant",
    "parse_json",
    "read_attempt",
    "read_lines",
]
