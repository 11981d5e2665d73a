import Glibc
import SalvorWire
import Testing

/// What a peer can make a connection hold, measured as what the process has resident. Each in a process of its own.
@Suite(
    "Memory per connection stays under Limits, whatever a peer sends (S-4, S-5)",
    .disabled(if: isSanitized, "what a sanitizer keeps of its own would be measured"))
struct MemoryBoundTests {
    /// A connection whose application takes events and consumes nothing, and whose peer reads nothing.
    final class Victim {
        let raw: RawPeer
        private var held: [Event]
        private let before: Int
        private(set) var peak = 0

        init(_ limits: Limits) throws {
            raw = try RawPeer(.callee, limits: limits)
            // What the test itself needs is there before it is measured.
            held = [Event](repeating: .drained, count: 1 << 16)
            held.removeAll(keepingCapacity: true)
            before = Self.inUse
        }

        /// Bytes of this process that are resident.
        static var inUse: Int {
            guard let file = fopen("/proc/self/statm", "r") else { return 0 }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 128)
            guard fgets(&line, 128, file) != nil else { return 0 }
            let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
                separator: " ")
            return words.count > 1 ? (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
        }

        /// Until the connection is closed, or `count` times.
        func flood(_ count: Int, _ bytes: (Int) throws -> [UInt8]) rethrows {
            for number in 0..<count {
                raw.machine.receive(try bytes(number), now: raw.now)
                while let event = raw.machine.nextEvent() { held.append(event) }
                if number % 64 == 0 { peak = max(peak, Self.inUse - before) }
                if raw.machine.isClosed { break }
            }
            peak = max(peak, Self.inUse - before)
        }
    }
}

extension MemoryBoundTests {
    /// Less than the default, so that what is no part of it shows.
    static var limits: Limits {
        var limits = Limits()
        limits.maxHeldBytes = 4 << 20
        limits.maxHeldMessages = 8 << 10
        return limits
    }

    /// What these limits allow for, all at once. An array of bytes is allocated with room to grow.
    static func bound(_ limits: Limits) -> Int {
        2 * limits.maxHeldBytes + 256 * limits.maxHeldMessages
            + 4 * Int(limits.maxConcurrentStreams) * Int(limits.maxHeaderBlock)
            + 2 * limits.maxControlBacklog + 2 * Int(limits.maxMessage)
    }

    private static func request(_ number: Int, _ metadata: WireMetadata = WireMetadata()) throws -> [UInt8] {
        try encode(.request(StreamID(UInt32(2 * number + 1)), RequestHeaders(path: "a/B", metadata: metadata)))
    }

    private static func message(_ number: Int, _ count: Int, _ flags: FrameFlags = []) throws -> [UInt8] {
        try encode(
            .message(
                StreamID(UInt32(2 * (number % 64) + 1)), flags,
                [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)))
    }

    @Test func `messages that nobody reads, on all streams`() async {
        await #expect(processExitsWith: .success) {
            let victim = try Victim(MemoryBoundTests.limits)
            try victim.flood(64) { try MemoryBoundTests.request($0) }
            try victim.flood(20_000) { try MemoryBoundTests.message($0, 16_000) }
            precondition(victim.peak > 3 << 20, "it held \(victim.peak) bytes")
            precondition(victim.peak < MemoryBoundTests.bound(MemoryBoundTests.limits), "it held \(victim.peak) bytes")
        }
    }

    @Test func `very many messages of one byte and of none (S-11)`() async {
        await #expect(processExitsWith: .success) {
            let victim = try Victim(MemoryBoundTests.limits)
            try victim.flood(64) { try MemoryBoundTests.request($0) }
            try victim.flood(2_000_000) { try MemoryBoundTests.message($0, $0 % 2) }
            precondition(victim.peak > 256 << 10, "it held \(victim.peak) bytes")
            precondition(victim.peak < MemoryBoundTests.bound(MemoryBoundTests.limits), "it held \(victim.peak) bytes")
        }
    }

    @Test func `messages that are never whole, on all streams`() async {
        await #expect(processExitsWith: .success) {
            let victim = try Victim(MemoryBoundTests.limits)
            try victim.flood(64) { try MemoryBoundTests.request($0) }
            try victim.flood(20_000) { try MemoryBoundTests.message($0, 10_000, .more) }
            precondition(victim.peak > 3 << 20, "it held \(victim.peak) bytes")
            precondition(victim.peak < MemoryBoundTests.bound(MemoryBoundTests.limits), "it held \(victim.peak) bytes")
        }
    }

    @Test func `streams opened with the largest metadata, reset, and opened again`() async {
        await #expect(processExitsWith: .success) {
            let victim = try Victim(MemoryBoundTests.limits)
            let metadata = WireMetadata(
                (0..<128).map { .init(key: "key-\($0)", value: .text(String(repeating: "x", count: 100))) })
            try victim.flood(10_000) {
                try MemoryBoundTests.request($0, metadata)
                    + (try encode(.reset(StreamID(UInt32(2 * $0 + 1)), .cancelled)))
            }
            precondition(victim.raw.machine.isClosed, "a flood of resets is cut off")
            // The application's own copies of what it was told are not the connection's.
            precondition(victim.peak < 1002 * 64 << 10, "it held \(victim.peak) bytes")
        }
    }

    @Test func `lengths that are announced and never come`() async {
        await #expect(processExitsWith: .success) {
            let largest = UInt32(1 << 24 - 1)
            for type in [UInt8(2), 3, 99] {
                var limits = Limits()
                limits.maxHeaderBlock = largest
                limits.maxFramePayload = largest
                let victim = try Victim(limits)
                try victim.flood(1) { try MemoryBoundTests.request($0) }
                victim.flood(1) { _ in
                    withUnsafeBytes(of: largest.bigEndian) { [UInt8]($0) } + [type, 0, 0, 0, 0, 3, 0]
                }
                precondition(!victim.raw.machine.isClosed || type == 3, "type \(type) was refused")
                precondition(victim.peak < 2 << 20, "type \(type): it held \(victim.peak) bytes")
            }
        }
    }

    @Test func `questions whose answers are never read`() async {
        await #expect(processExitsWith: .success) {
            let victim = try Victim(Limits())
            // Slow enough that no rate is broken.
            try victim.flood(100_000) { number in
                victim.raw.now = Instant(nanoseconds: UInt64(number) * 200_000_000)
                return try encode(.ping(isAnswer: false, opaque: UInt64(number)))
            }
            precondition(victim.raw.machine.isClosed, "it went on for ever")
            precondition(victim.peak < 4 << 20, "it held \(victim.peak) bytes")
        }
    }
}

private var isSanitized: Bool {
    #if SALVOR_SANITIZE
        true
    #else
        false
    #endif
}
