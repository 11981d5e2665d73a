import Fixtures
import FoundationEssentials
import Glibc
import SalvorMessages
import Testing

@testable import SalvorAgentCore

/// Volumes whose structures were damaged at random, from a seed: whatever the agent makes of one, it says so, in time, and
/// nothing stays mounted.
@Suite(.serialized, .enabled(if: canMountNTFS, whyNotMountNTFS))
struct MutatedVolumeTests {
    /// `make fuzz-disks` tries thousands.
    static let count = ProcessInfo.processInfo.environment["SALVOR_MUTATIONS"].flatMap { Int($0) } ?? 120
    static let seed = ProcessInfo.processInfo.environment["SALVOR_MUTATION_SEED"].flatMap { UInt64($0) } ?? 291

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("A damaged volume ends in a typed outcome, in time, with nothing mounted and nothing written by a scan")
    func mutated() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            for number in 0..<200 { try editor.file("Windows/System32/f\(number)", [UInt8](repeating: 1, count: 3000)) }
        }
        let sound = try #require(contents(ofFile: image.path, limit: 1 << 26))
        let places = try Places(of: sound, image)
        var agent = try TestAgent(scratch, .ntfs(image))
        agent.stepLimit = .seconds(20)
        var random = Noise(seed: Self.seed)
        var kinds: [Salvor_V1_Outcome.Kind: Int] = [:]
        var slowest = Duration.zero
        for number in 0..<Self.count {
            let changes = places.mutation(&random, of: sound)
            for change in changes { try image.write(change.bytes, at: change.offset) }
            let before = try image.digest()
            let began = ContinuousClock.now
            let recipe = Salvor_V1_Recipe.crowdStrike(resetLog: true, repairDirty: true, discardHibernation: true)
            let scan = try await agent.scan(recipe)
            #expect(scan.outcome.kind != .unspecified && !scan.outcome.message.isEmpty, "mutation \(number)")
            #expect(try image.digest() == before, "mutation \(number): the scan wrote")
            if scan.outcome.kind == .repairable {
                let events = try await agent.apply(scan.findings, recipe, id: "m\(number)")
                #expect(events.outcome.kind != .unspecified, "mutation \(number)")
                kinds[events.outcome.kind, default: 0] += 1
            } else {
                kinds[scan.outcome.kind, default: 0] += 1
            }
            slowest = max(slowest, began.duration(to: .now))
            #expect(try scratch.mounts() == [], "mutation \(number)")
            // An apply may have changed anything.
            try image.write(sound, at: 0)
        }
        print("seed \(Self.seed): \(Self.count) damaged volumes: \(kinds), the slowest \(slowest)")
        #expect(kinds.count > 2, "the damage makes no difference: \(kinds)")
    }

    /// Where damage does something: most of an image is free.
    private struct Places {
        let ranges: [Range<Int>]

        init(of sound: [UInt8], _ image: NTFSImage) throws {
            let table = try image.recordOffset(0)
            var ranges = [0..<512, table..<(table + 16 * 1024), (table + 24 * 1024)..<(table + 280 * 1024)]
            // Index blocks.
            for start in stride(from: 0, to: sound.count, by: 4096)
            where sound[start..<(start + 4)].elementsEqual("INDX".utf8) {
                ranges.append(start..<(start + 4096))
            }
            self.ranges = ranges
        }

        func mutation(_ random: inout Noise, of sound: [UInt8]) -> [(offset: Int, bytes: [UInt8])] {
            (0..<Int(random.next() % 8 + 1)).map { _ in
                let range = ranges[Int(random.next() % UInt64(ranges.count))]
                let offset = range.lowerBound + Int(random.next() % UInt64(range.count))
                switch random.next() % 4 {
                case 0: return (offset, [sound[offset] ^ 1 << UInt8(random.next() % 8)])
                case 1: return (offset, [UInt8(truncatingIfNeeded: random.next())])
                case 2: return (offset & ~3, [0xFF, 0xFF, 0xFF, 0x7F])
                default:
                    let count = Int(random.next() % 64) + 1
                    return (offset, Noise.bytes(seed: random.next(), count: min(count, sound.count - offset)))
                }
            }
        }
    }
}
