"""Reads C++ just well enough: blanks comments and literals, and finds the statement around a co_await."""
import re

_TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+\'''', re.S)
_BLOCK_WORD = re.compile(r"(?:\b(?:else|do|try|const|noexcept|mutable|override|final|asm)|[)\];{}:])\s*$")
_RETURN_TYPE = re.compile(r"\)\s*(?:mutable\s*|noexcept\s*)*->\s*[^;{}()]*$")
_LAMBDA = re.compile(r"(?<![\w\])>\[])\s*\[(?!\[)([^\[\]]*)\]\s*(?=[({<@]|mutable\b|->)")


def blank(text):
    """The same text with comments and literals as spaces: positions and lines stay. Digit separators stay too."""
    def spaces(match):
        piece = match[0]
        if piece.startswith("'") and match.start() > 0 and text[match.start() - 1].isalnum() and "0" <= piece[1] <= "9":
            return piece
        if piece.startswith(('"', "'", "R")):
            return piece[0] + re.sub(r"[^\n]", " ", piece[1:-1]) + piece[-1]
        return re.sub(r"[^\n]", " ", piece)
    return _TOKEN.sub(spaces, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def opens_block(text, position):
    """Whether the { at this position begins a block (of a function, a lambda, an if) rather than a braced value."""
    before = text[max(0, position - 300):position].rstrip()
    return not before or bool(_BLOCK_WORD.search(before)) or bool(_RETURN_TYPE.search(before))


def _matching(text, position):
    depth = 0
    for index in range(position, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return len(text) - 1


def _start(text, position):
    """Back to the end of the statement before, or to the { of the block around."""
    inner = parentheses = 0  # braces and parentheses that closed on the way back
    for index in range(position - 1, -1, -1):
        letter = text[index]
        if letter == ")":
            parentheses += 1
        elif letter == "(":
            parentheses -= 1
        elif letter == "}":
            if inner == 0 and parentheses <= 0 and re.match(r"\s*[\w*(~&:[]", text[index + 1:position + 1]):
                return index + 1
            inner += 1
        elif letter == "{":
            if inner > 0:
                inner -= 1
            elif opens_block(text, index):
                return index + 1
        elif letter == ";" and inner == 0:
            return index + 1
    return 0


def statement(text, position):
    """The statement around a position, with the bodies of lambdas blanked."""
    start = _start(text, position)
    index, parentheses, pieces = start, 0, []
    while index < len(text):
        letter = text[index]
        parentheses += (letter == "(") - (letter == ")")
        if letter == "{" and opens_block(text, index):
            if parentheses <= 0 and not text[:index].rstrip().endswith("]") and not _in_lambda(text[start:index]):
                break
            end = _matching(text, index)
            pieces.append("@" + re.sub(r"[^\n]", " ", text[index + 1:end]) + "@" if end > index else "")
            index = end + 1
            continue
        if letter == ";" and parentheses <= 0 and index >= position:
            break
        pieces.append(letter)
        index += 1
    return start, "".join(pieces)


def _in_lambda(text):
    return bool(re.search(r"[=,(]\s*\[[^\[\]]*\]\s*(\([^()]*\))?\s*(mutable\s*)?(->[^{}]*)?$", text))


def capturing_lambda(text):
    return any(match[1].strip() for match in _LAMBDA.finditer(text))
