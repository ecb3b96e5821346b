import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.utils import bounded
from training.utils.parquet_files import column_names, read_frame, read_table


@pytest.fixture
def path(tmp_path):
    """A table with text, numbers and gaps, in a folder that looks like a partition."""
    folder = tmp_path / "key=value"
    folder.mkdir()
    pd.DataFrame({"id": ["a", "b", None], "price": [1.5, None, 2]}).to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def test_a_table_is_read_as_pandas_wrote_it(path):
    pd.testing.assert_frame_equal(read_frame(path), pd.read_parquet(path, partitioning=None))
    assert (column_names(path), list(read_frame(path, ["price"]))) == (["id", "price"], ["price"])


def test_every_byte_that_may_be_damaged_gives_a_table_or_a_reason(path):
    whole = path.read_bytes()
    refused = []
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_frame(path)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert all(reason and "\n" not in reason for reason in refused)


def test_text_that_is_no_utf_8_is_refused(tmp_path):
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")]
    )
    pyarrow.parquet.write_table(pa.table({"id": text}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"(?i)utf-?8"):
        read_table(tmp_path / "t.parquet")


def test_a_table_of_one_value_repeated_takes_no_more_memory_than_its_file_justifies(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "_ALWAYS", 1 << 20)
    pyarrow.parquet.write_table(pa.table({"x": np.zeros(1_000_000, np.int8)}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="its table takes 8 MB, and a file of"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_reading_starts_no_thread_that_could_abort_a_process_that_ends(path):
    code = (
        "import os, sys; from pathlib import Path; from training.utils.parquet_files import column_names, read_table\n"
        "before = os.listdir('/proc/self/task')\n"
        "column_names(Path(sys.argv[1])), read_table(Path(sys.argv[1]))\n"
        "print(len(set(os.listdir('/proc/self/task')) - set(before)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout == "0\n"
