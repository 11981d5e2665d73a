/// CrowdStrike channel files as they lay on the machines of July 2024.
package enum ChannelFile {
    package static let folder = "Windows/System32/drivers/CrowdStrike"
    /// What every channel-291 file begins with, good or bad.
    package static let header: [UInt8] = [0xAA, 0xAA, 0xAA, 0xAA, 0x01, 0x00, 0x23, 0x01]
    /// 2024-07-19 04:09 UTC.
    package static let faultyTime = NTFSTime.utc(2024, 7, 19, 4, 9, 12, 3_456_789)
    /// 2024-07-19 05:27 UTC.
    package static let correctedTime = NTFSTime.utc(2024, 7, 19, 5, 27, 41, 9_876_543)
    /// Size of the real one, in bytes.
    package static let size = 40_960

    package static let faulty = "C-00000291-00000000-00000032.sys"
    package static let corrected = "C-00000291-00000000-00000033.sys"

    package static func faultyFile(_ name: String = faulty, seed: UInt64 = 291) -> FileSpec {
        FileSpec("\(folder)/\(name)", .bytes(content(seed: seed)), times: NTFSTimes(all: faultyTime))
    }

    package static func correctedFile(_ name: String = corrected, seed: UInt64 = 292) -> FileSpec {
        FileSpec("\(folder)/\(name)", .bytes(content(seed: seed)), times: NTFSTimes(all: correctedTime))
    }

    /// What a crash can leave of one: the size and the time are there, the bytes are not.
    package static func zeroedFile(_ name: String = faulty) -> FileSpec {
        FileSpec("\(folder)/\(name)", .zeroes(count: size), times: NTFSTimes(all: faultyTime))
    }

    private static func content(seed: UInt64) -> [UInt8] {
        header + Noise.bytes(seed: seed, count: size - header.count)
    }
}
