r"""Numbers as a sentence writes them: proper minus signs, powers of ten, lists.

A chapter's Markdown cells hold computed numbers as expressions, ``{eval}`fixed(mean, 2)```,
which the press and JupyterLab evaluate in the kernel. Each expression gives a text; these
functions make it.
"""

from collections.abc import Iterable, Sequence

from descent.arguments import check_count, check_real

__all__ = ["fixed", "listed", "percent", "power_of_ten", "signed", "table"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fixed(value: float, digits: int = 0) -> str:
    """Write a number with so many digits after the point, and no minus before a zero.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
        Zero or more.

    Raises
    ------
    TypeError, ValueError
        If the number is none or not finite.

    Examples
    --------
    >>> fixed(-0.318, 2), fixed(-0.001, 2), fixed(12)
    ('−0.32', '0.00', '12')
    """
    text = f"{check_real('value', value):.{check_count('digits', digits)}f}"
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def signed(value: float, digits: int = 0) -> str:
    """Write a number with its sign, whichever it is.

    Examples
    --------
    >>> signed(0.318, 2), signed(-0.318, 2), signed(0.001, 1)
    ('+0.32', '−0.32', '0.0')
    """
    text = fixed(value, digits)
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.0345), percent(0.0345, 1)
    ('3 %', '3.5 %')
    """
    return f"{fixed(100 * check_real('share', share), digits)} %"


def power_of_ten(value: float, digits: int = 0) -> str:
    """Write a number as digits times a power of ten, for sentences and pictures alike.

    A power of ten stands alone, and so does a factor of 10⁰.

    Examples
    --------
    >>> power_of_ten(4e-5), power_of_ten(0.001), power_of_ten(-1.26e7, 1), power_of_ten(1.0)
    ('4 × 10⁻⁵', '10⁻³', '−1.3 × 10⁷', '1')
    """
    if check_real("value", value) == 0:
        return "0"
    factor, exponent = f"{value:.{check_count('digits', digits)}e}".split("e")
    factor, power = factor.replace("-", "−"), "10" + str(int(exponent)).translate(_RAISED)
    if int(exponent) == 0:
        return factor
    return power if float(factor.replace("−", "-")) == 1 else f"{factor} × {power}"


def listed(items: Iterable[object], last: str = "and") -> str:
    """Write items one after another, the last behind a word.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> listed([1, 2, 5]), listed(["left", "right"], last="or")
    ('1, 2 and 5', 'left or right')
    """
    *front, end = [str(item) for item in items] or [""]
    if not end:
        raise ValueError("items must hold at least one entry; got none")
    return f"{', '.join(front)} {last} {end}" if front else end


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Write a Markdown table.

    Parameters
    ----------
    head : sequence of str
        The columns' titles.
    rows : iterable of sequence of str
        A text for each column.
    align : str
        One l or r a column.

    Raises
    ------
    ValueError
        If a row or `align` has another number of columns than the head.

    Examples
    --------
    >>> print(table(["a", "b"], [["1", "2"]], "lr"))
    | a | b |
    |:--|--:|
    | 1 | 2 |
    """
    lines = [list(head), *map(list, rows)]
    if wrong := [line for line in [align, *lines] if len(line) != len(head)]:
        raise ValueError(f"a table with columns {list(head)} cannot hold {wrong[0]!r}")
    rule = "|" + "".join({"l": ":--|", "r": "--:|"}[side] for side in align)
    first, *rest = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([first, rule, *rest])
