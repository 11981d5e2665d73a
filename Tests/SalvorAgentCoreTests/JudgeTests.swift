import FoundationEssentials
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

struct JudgeTests {
    private static let magic: [UInt8] = [0xAA, 0xBB]
    private static let known = SHA256.digest(of: [1, 2, 3])

    private func facts(
        _ modified: UInt64, beginning: [UInt8] = magic + [1], size: UInt64 = 100, zero: Bool = false,
        digest: Digest = SHA256.digest(of: [9])
    ) -> FileFacts {
        FileFacts(
            sizeBytes: size, digest: digest, beginning: beginning, isAllZero: zero,
            times: .with { $0.modified = modified })
    }

    private let judgement = Salvor_V1_Judgement.with {
        $0.header = Data(magic)
        $0.faultyFrom = 100
        $0.faultyBefore = 200
        $0.correctedFrom = 300
    }

    @Test(
        "The last-write time decides at its very boundaries",
        arguments: [
            (1, .unknown), (99, .unknown), (100, .faulty), (199, .faulty), (200, .unknown), (299, .unknown),
            (300, .corrected), (UInt64.max, .corrected), (0, .unknown),
        ] as [(UInt64, Salvor_V1_Verdict)])
    func times(modified: UInt64, verdict: Salvor_V1_Verdict) {
        #expect(judgement.verdict(on: facts(modified)).verdict == verdict)
    }

    @Test("A wrong or short header is unknown, whatever the time")
    func header() {
        for beginning: [UInt8] in [[0xAA], [0xBB, 0xAA], []] {
            #expect(judgement.verdict(on: facts(150, beginning: beginning)).verdict == .unknown)
        }
    }

    @Test("Zeroes come before digests, digests before header and time, and a contradiction is unknown")
    func order() {
        var judgement = judgement
        judgement.correctedSha256 = [Data(Self.known.bytes)]
        #expect(judgement.verdict(on: facts(150, beginning: [], digest: Self.known)).verdict == .corrected)
        #expect(judgement.verdict(on: facts(150, zero: true, digest: Self.known)).verdict == .zeroed)
        judgement.faultySha256 = [Data(Self.known.bytes)]
        #expect(judgement.verdict(on: facts(350, digest: Self.known)).verdict == .unknown)
        judgement.correctedSha256 = []
        #expect(judgement.verdict(on: facts(350, digest: Self.known)).verdict == .faulty)
        #expect(judgement.verdict(on: facts(350, size: 0, digest: Self.known)).verdict == .unknown)
    }

    @Test("A judgement that asks for nothing says nothing")
    func empty() {
        #expect(Salvor_V1_Judgement().verdict(on: facts(150)).verdict == .unknown)
    }

    @Test("A reason names the times that it rests on")
    func reason() {
        let reason = Salvor_V1_Judgement.with { $0.faultyBefore = NTFSImage.correctedTime }
            .verdict(on: facts(NTFSImage.faultyTime)).reason
        #expect(reason == "It was last written at 2024-07-19T04:09:12.3456789Z, before 2024-07-19T05:27:41.9876543Z.")
    }

    @Test(
        "NTFS times are told exactly",
        arguments: [
            (0, "never"), (1, "1601-01-01T00:00:00.0000001Z"), (116_444_736_000_000_000, "1970-01-01T00:00:00Z"),
            (125_963_015_990_000_000, "2000-02-29T12:39:59Z"), (UInt64.max, "60056-05-28T05:36:10.9551615Z"),
        ] as [(UInt64, String)])
    func timeText(time: UInt64, text: String) {
        #expect(ntfsTimeText(time) == text)
    }
}
