from curation.errors import InputError
from tests.torture import fuzz
from tests.torture.fuzz_cases import Reader
from tests.torture.tally import Tally


def attempt(read) -> Tally:
    tally = Tally("fuzz")
    fuzz.attempt(Reader("reader", [b""], read), b"content", "case 1", tally)
    return tally


def test_a_few_hundred_cases_are_read_or_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tally = fuzz.try_cases(200, 1, tmp_path)
    assert (tally.tried, tally.faults) == (200, [])
    assert tally.clean


def test_a_refusal_is_no_fault_and_everything_else_that_is_raised_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def raising(error):
        def read(content):
            raise error

        return read

    assert attempt(lambda content: None).clean
    assert attempt(raising(InputError("no"))).clean
    for error in (ValueError("x"), MemoryError(), RecursionError(), KeyError("id"), OSError(36, "too long")):
        tally = attempt(raising(error))
        assert (tally.tracebacks, type(error).__name__ in tally.faults[0]) == (1, True)
    assert attempt(raising(InputError("x" * 20_000))).unexplained == 1


def test_a_case_that_does_not_end_is_a_hang(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)

    def read(content):
        while True:
            pass

    assert attempt(read).hangs == 1
