from triage.hashsets.formats.report import ReadReport


def test_the_account_is_told_line_by_line() -> None:
    report = ReadReport("set.txt", reader="text", unit="line")
    report.note("taken for granted")
    report.rows = 12_345
    for report.place in range(1, 1001):
        report.skip("no hash")
    report.drop_value("no size")
    assert report.lines() == [
        "set.txt: text, 12,345 rows read, 11,345 used",
        "  taken for granted",
        "  1,000 skipped: no hash (line 1, 2, 3, 4, 5, ...)",
        "  1 value dropped: no size (line 1000)",
    ]


def test_a_row_of_several_records_is_skipped_once() -> None:
    report = ReadReport("set.txt")
    report.rows = 3
    report.skip_rows("no place in the set", [1, 3, 1, 1])
    assert (report.used, report.skipped["no place in the set"].places) == (1, [1, 3])
