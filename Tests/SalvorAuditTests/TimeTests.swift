import SalvorAudit
import Testing

struct TimeTests {
    @Test(
        "Wall times are written and read in UTC, to the millisecond",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_721_361_540_123, "2024-07-19T03:59:00.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func wallTime(milliseconds: Int64, text: String) {
        #expect(WallTime(unixMilliseconds: milliseconds).rfc3339 == text)
        #expect(WallTime(rfc3339: text)?.unixMilliseconds == milliseconds)
    }

    @Test(
        "NTFS times keep every 100 ns, also those that no calendar of ours can write",
        arguments: [
            (0, "1601-01-01T00:00:00.0000000Z"), (116_444_736_000_000_000, "1970-01-01T00:00:00.0000000Z"),
            (133_658_357_714_000_001, "2024-07-19T04:09:31.4000001Z"),
            (2_650_467_743_999_999_999, "9999-12-31T23:59:59.9999999Z"),
            (2_650_467_744_000_000_000, "ntfs:2650467744000000000"), (.max, "ntfs:18446744073709551615"),
        ] as [(UInt64, String)])
    func ntfsTime(intervals: UInt64, text: String) {
        #expect(NTFSTime(intervals: intervals).rfc3339 == text)
        #expect(NTFSTime(rfc3339: text)?.intervals == intervals)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "2024-02-30T00:00:00.000Z", "2023-02-29T00:00:00.000Z", "2024-13-01T00:00:00.000Z",
            "2024-00-01T00:00:00.000Z", "2024-01-00T00:00:00.000Z", "2024-07-19T24:00:00.000Z",
            "2024-07-19T04:60:00.000Z", "2024-07-19T04:09:60.000Z", "2024-07-19T04:09:00.000", "2024-07-19T04:09:00Z",
            "2024-07-19 04:09:00.000Z", "2024-07-19T04:09:00.00٣Z", "2024-07-19T04:09:00.000+00:00",
        ])
    func noTime(text: String) {
        #expect(WallTime(rfc3339: text) == nil)
        #expect(NTFSTime(rfc3339: text) == nil)
    }

    @Test("Every day of a whole cycle of 400 years has its own date, and the next day the next one")
    func everyDay() throws {
        var previous = ""
        for day in Int64(-134_774)...Int64(11_322) {
            let time = WallTime(unixMilliseconds: day * 86_400_000)
            let text = time.rfc3339
            #expect(text > previous)
            #expect(WallTime(rfc3339: text) == time)
            previous = text
        }
        #expect(previous == "2000-12-31T00:00:00.000Z")
    }

    @Test("A step's length is kept in whole milliseconds, and nonsense does no harm")
    func durations() {
        func milliseconds(_ duration: Duration) -> UInt64 {
            AuditEvent.StepDone(step: "copy", took: duration).milliseconds
        }
        #expect(milliseconds(.microseconds(1999)) == 1)
        #expect(milliseconds(.seconds(-5)) == 0)
        #expect(milliseconds(.seconds(Int64.max)) > 0)
    }
}
