/// The times that NTFS keeps of a file, in 100 ns since 1601-01-01T00:00:00Z.
///
/// A fourth, of the last change of the file's record, is the driver's own: ntfs-3g lets nobody set it.
package struct NTFSTimes: Hashable, Sendable {
    package var created: UInt64
    package var modified: UInt64
    package var accessed: UInt64

    package init(created: UInt64, modified: UInt64, accessed: UInt64) {
        self.created = created
        self.modified = modified
        self.accessed = accessed
    }

    package init(all time: UInt64) { self.init(created: time, modified: time, accessed: time) }

    /// When the machines of these tests were set up.
    package static let installed = NTFSTimes(all: NTFSTime.utc(2023, 11, 4, 9, 30, 15, 1_234_567))
}

package enum NTFSTime {
    /// An instant in UTC.
    /// - Parameter fraction: in 100 ns.
    package static func utc(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0,
        _ fraction: UInt64 = 0
    ) -> UInt64 {
        // Days in the proleptic Gregorian calendar since 0000-03-01, with the year beginning in March.
        func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
            let shifted = month <= 2 ? year - 1 : year
            return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400
                + (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        }
        let seconds = ((days(year, month, day) - days(1601, 1, 1)) * 24 + hour) * 3600 + minute * 60 + second
        return UInt64(seconds) * 10_000_000 + fraction
    }
}
