"""Writer: which values it takes, and what it says of those that it does not."""

import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_regplugin import Term, Writer, load
from tests.independent_reader import read_recording


def test_a_loss_of_pytorch_may_still_have_its_gradient(tmp_path: Path) -> None:
    """PyTorch warns of such a number where it is made one of Python's."""
    torch = pytest.importorskip("torch")
    loss = (torch.ones(3, requires_grad=True) * 2.0).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path) as writer:
            writer.write(0, loss, {"w": loss / 4}, total_loss=loss * 1.25)
    values = read_recording(tmp_path)[0].values
    assert values == {"total": 7.5, "data": 6.0, "w": 1.5}
    loss.backward()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300, -0.0])
def test_values_that_are_not_ordinary_are_kept(tmp_path: Path, value: float) -> None:
    """NaN and infinities are recorded; what float32 can't hold becomes infinite, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path) as writer:
            writer.write(0, value, {})
    (row,) = read_recording(tmp_path).values()
    with np.errstate(over="ignore"):
        np.testing.assert_equal(row.values["data"], float(np.float32(value)))


@pytest.mark.parametrize(
    ("library", "make"), [("numpy", "complex64"), ("torch", "tensor"), ("tensorflow", "constant")]
)
def test_a_complex_number_is_refused(tmp_path: Path, library: str, make: str) -> None:
    """NumPy and TensorFlow would record its real part."""
    value = getattr(pytest.importorskip(library), make)(1 + 2j)
    with Writer(tmp_path) as writer:
        writer.write(0, 1.0, {})
        with pytest.raises(TypeError, match=r"penalties\['w'\] must be one number, not .*1.*2.*j"):
            writer.write(1, 1.0, {"w": value})
    assert list(read_recording(tmp_path)) == [0]


def test_numbers_of_other_libraries_are_taken(tmp_path: Path) -> None:
    """NumPy's scalars and arrays without dimensions are numbers too."""
    with Writer(tmp_path) as writer:
        writer.write(np.int64(7), np.float64(0.5), {"a": np.array(0.25)}, np.float32(0.75))
    rows = read_recording(tmp_path)
    assert rows[7].values == {"total": 0.75, "data": 0.5, "a": 0.25}


_TERMS: list[str | Term] = ["w", Term("v", kind="l1", strength=0.1), Term("w", role="implicit")]


@pytest.mark.parametrize(
    ("library", "dtype"),
    [
        *[("numpy", dtype) for dtype in ("float64", "float16", "int32", "bool_")],
        *[("torch", dtype) for dtype in ("float64", "float32", "bfloat16", "int64")],
        *[("jax.numpy", dtype) for dtype in ("float32", "bfloat16")],
        ("tensorflow", "bfloat16"),
    ],
)
def test_an_array_of_penalties_is_taken_in_the_order_of_the_terms(
    tmp_path: Path, library: str, dtype: str
) -> None:
    """Of every library and dtype, also where gradients go through it, and beside mappings."""
    module = pytest.importorskip(library)
    make = getattr(module, "constant" if library == "tensorflow" else "asarray")
    array, first = make([1.0, 0.0, 1.0], dtype=getattr(module, dtype)), 1.0
    if library == "torch" and array.is_floating_point():
        array, first = array.requires_grad_() * 1.5, 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path, terms=_TERMS) as writer:
            writer.write(0, {"a": 0.5, "b": 0.25}, array, total_loss=0.75 + first)
            writer.write(1, 0.5, {"w": 2.0})
            writer.write(2, 0.5, array)
    recording = load(tmp_path)["."]
    names = [(column.role, column.name) for column in recording.columns]
    values = [dict(zip(names, row, strict=True)) for row in recording.values.tolist()]
    terms = {("penalty", "w"): first, ("penalty", "v"): 0.0, ("implicit", "w"): first}
    parts = {("total", "total"): 0.75 + first, ("data", "a"): 0.5, ("data", "b"): 0.25}
    expected = [parts | terms, {("data", "data"): 0.5, ("penalty", "w"): 2.0}]
    expected.append({("data", "data"): 0.5} | terms)
    assert [{k: v for k, v in row.items() if v == v} for row in values] == expected
    assert next(column for column in recording.columns if column.name == "v").strength == 0.1


class OnDevice:
    """Like an array on a GPU: each copy takes its time, and NumPy can't read it."""

    shape = (3,)

    def __init__(self) -> None:
        self.copies = 0

    def tolist(self) -> list[float]:
        """Copies all of it."""
        self.copies += 1
        return [1.0, 2.0, 3.0]

    def __array__(self) -> None:
        raise TypeError("can't convert cuda:0 device type tensor to numpy.")

    __float__ = __iter__ = __getitem__ = __array__


def test_an_array_is_copied_from_its_device_once(tmp_path: Path) -> None:
    """Not value by value."""
    array = OnDevice()
    with Writer(tmp_path, terms=_TERMS) as writer:
        writer.write(0, 1.0, array)
    assert array.copies == 1
    assert load(tmp_path)["."].values.tolist() == [[1.0, 1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("penalties", "message"),
    [
        (np.ones(2), r"an array of shape \(3,\), .* not ndarray of shape \(2,\): array\(\[1"),
        (np.ones(4), r"not ndarray of shape \(4,\)"),
        (np.ones((3, 1)), r"not ndarray of shape \(3, 1\)"),
        (np.float64(1.0), "not float64: "),
        (0.5, "an array of shape .* not float: 0.5"),
        ([0.5, 0.5, 0.5], "not list: "),
        (np.array([0.5, 1j, 0.5]), r"penalties\['w'\] must be one number, not complex: "),
        (np.array([0.5, None, 0.5]), r"penalties\['v'\] must be one number, not NoneType: "),
        ("meta", r"not Tensor of shape \(3,\): tensor\(\.\.\., device='meta'"),
        ("sparse", r"not Tensor of shape \(3,\): "),
    ],
)
def test_an_array_that_is_not_the_terms_values_is_named(
    tmp_path: Path, penalties: Any, message: str
) -> None:
    """What is wrong with it is said, and the rows around it are recorded."""
    if isinstance(penalties, str):
        ones = pytest.importorskip("torch").ones(3)
        penalties = ones.to("meta") if penalties == "meta" else ones.to_sparse()
    with Writer(tmp_path, terms=_TERMS) as writer:
        writer.write(0, 1.0, np.zeros(3))
        with pytest.raises(TypeError, match=message):
            writer.write(1, 1.0, penalties)
        writer.write(2, 1.0, np.zeros(3))
    assert list(read_recording(tmp_path)) == [0, 2]


def test_an_array_needs_the_terms(tmp_path: Path) -> None:
    """The error says where they go."""
    with (
        Writer(tmp_path) as writer,
        pytest.raises(TypeError, match=r"Writer\(\.\.\., terms=\[\.\.\.\]\)\. It is ndarray of"),
    ):
        writer.write(0, 1.0, np.ones(2))


class NoData:
    """Raises as PyTorch's tensors on the meta device do, and nested ones of which size they are."""

    def __float__(self) -> float:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")

    __repr__ = __float__  # type: ignore[assignment]  # It can't be shown either.
    shape = property(__float__)


@pytest.mark.parametrize("number", [int, Fraction, Decimal])
def test_a_number_that_no_float_holds_is_infinite(
    tmp_path: Path, number: Callable[[int], Any]
) -> None:
    """As one that float32 doesn't hold; a value beside it that is no number is named still."""
    large = number(10**400)
    no_number: Any = "x"
    with Writer(tmp_path) as writer:
        writer.write(0, large, {"w": -large, "v": 1e300, "u": 2})
        with pytest.raises(TypeError, match=r"penalties\['w'\] must be one number, not str"):
            writer.write(1, large, {"w": no_number})
    assert list(read_recording(tmp_path)[0].values.values()) == [np.inf, -np.inf, np.inf, 2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 1.0, {}), "step must be an integer, not 0.5"),
        ((2**63, 1.0, {}), "64 bits"),
        ((1, None, {}), "data_loss must be one number, not NoneType"),
        ((1, 1.0, {"w": np.zeros((2, 3))}), r"penalties\['w'\] .* ndarray of shape \(2, 3\)"),
        ((1, {"a": "x"}, {}), r"data_loss\['a'\] must be one number, not str"),
        ((1, 1.0, {}, [1.0]), "total_loss must be one number, not list"),
        ((1, 1.0, {"w": 1j}), r"penalties\['w'\] must be one number, not complex"),
        ((1, 1.0, {"w": NoData()}), r"penalties\['w'\] must be one number, not NoData"),
        ((1, 1.0, {"w": 1.0, Term("w"): 2.0}), "Two columns are called 'w'"),
        ((1, 1.0, {Term("t", role="total"): 1.0}), "as total_loss or data_loss"),
        ((1, 1.0, {"": 1.0}), "non-empty"),
    ],
)
def test_bad_input_is_named_and_loses_nothing(
    tmp_path: Path, arguments: tuple[Any, ...], message: str
) -> None:
    """A wrong call says what is wrong; the rows around it are recorded."""
    with Writer(tmp_path) as writer:
        writer.write(0, 1.0, {})
        with pytest.raises((TypeError, ValueError), match=message):
            writer.write(*arguments)
        writer.write(2, 3.0, {})
    rows = read_recording(tmp_path)
    assert {step: row.values for step, row in rows.items()} == {0: {"data": 1.0}, 2: {"data": 3.0}}


@pytest.mark.parametrize("options", [{"name": ""}, {"flush_secs": 0}, {"flush_secs": -1}])
def test_bad_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    """An empty name and an interval that is not positive are errors at once."""
    with pytest.raises(ValueError, match="must be"):
        Writer(tmp_path, **options)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["w", "w"], "Two columns are called 'w'"),
        ([Term("w"), "w"], "Two columns are called 'w'"),
        ([""], "non-empty"),
        ([Term("w", role="data")], "as total_loss or data_loss"),
    ],
)
def test_bad_terms_are_refused(tmp_path: Path, terms: list[str | Term], message: str) -> None:
    """At once, not at the first step."""
    with pytest.raises(ValueError, match=message):
        Writer(tmp_path, terms=terms)
