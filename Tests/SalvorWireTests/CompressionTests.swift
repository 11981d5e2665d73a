import SalvorWire
import Testing

@Suite("Compression (C)")
struct CompressionTests {
    static let text = [UInt8](String(repeating: "C-00000291-00000000-00000032.sys\n", count: 500).utf8)

    /// Bytes that zlib cannot make smaller.
    static func noise(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 42)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    @Test("What comes out is what went in, again and again with the same state")
    func roundTrip() throws {
        var deflater = Deflater()
        var inflater = Inflater()
        for size in [0, 1, 1023, 1024, 1025, 16_500] {
            let bytes = [UInt8](Self.text.prefix(size))
            let message = deflater.message(from: bytes)
            #expect((message.encoding == .zlib) == (size >= 1024))
            #expect(message.uncompressedByteCount == size)
            #expect(message.bytes.count <= size)
            let back = try inflater.bytes(of: message, limit: size)
            #expect(back == bytes)
        }
    }

    @Test("What does not get smaller travels as it is (C-2)")
    func noWin() {
        var deflater = Deflater()
        let bytes = Self.noise(5000)
        let message = deflater.message(from: bytes)
        #expect(message == Message(bytes))
        let after = deflater.message(from: Self.text)
        #expect(after.encoding == .zlib)
    }

    @Test("Where nothing gets smaller, fewer and fewer are tried; what does get smaller is found again (C-2)")
    func misses() {
        var deflater = Deflater()
        let noise = Self.noise(64 << 10)
        let text = [UInt8](repeating: 0x5A, count: 64 << 10)
        for _ in 0..<200 { #expect(deflater.message(from: noise) == Message(noise)) }
        // At most 31 go by untried.
        let encodings = (0..<33).map { _ in deflater.message(from: text).encoding }
        #expect(encodings.contains(.zlib))
        #expect(encodings.last == .zlib)
        // From then on all are tried.
        for _ in 0..<5 { #expect(deflater.message(from: text).encoding == .zlib) }
        #expect(deflater.message(from: noise) == Message(noise))
        #expect(deflater.message(from: text).encoding == .zlib)
    }

    @Test("A message whose middle is noise is not tried whole, and one whose beginning is, is (C-2)")
    func sample() {
        var deflater = Deflater()
        let zeroes = [UInt8](repeating: 0, count: 20_000)
        #expect(deflater.message(from: Self.noise(2000) + zeroes).encoding == .zlib)
        #expect(deflater.message(from: zeroes + Self.noise(8000) + zeroes).encoding != .zlib)
    }

    @Test("A bomb is refused at the limit, to the byte (C-5)")
    func bomb() throws {
        var deflater = Deflater()
        var inflater = Inflater()
        let bomb = deflater.message(from: [UInt8](repeating: 0, count: 20_000_000))
        #expect(bomb.bytes.count < 100_000)
        for limit in [0, 1, 1000, 1 << 20, 19_999_999] {
            do {
                _ = try inflater.bytes(of: bomb, limit: limit)
                Issue.record("it inflated under a limit of \(limit)")
            } catch {
                #expect(error.code == .tooLarge)
                #expect(error.status == .resourceExhausted)
            }
        }
        let whole = try inflater.bytes(of: bomb, limit: 20_000_000)
        #expect(whole.count == 20_000_000)
    }

    @Test("A message that is not compressed is under the same limit")
    func plainLimit() {
        var inflater = Inflater()
        do {
            _ = try inflater.bytes(of: Message([1, 2]), limit: 1)
            Issue.record("two bytes came out under a limit of one")
        } catch {
            #expect(error.code == .tooLarge)
        }
    }

    @Test("Every truncation, a byte behind the end, and damage are corrupt (C-3)")
    func corrupt() throws {
        var deflater = Deflater()
        var inflater = Inflater()
        let good = deflater.message(from: Self.text).bytes
        var bad = (0..<good.count).map { [UInt8](good[..<$0]) }
        bad.append(good + [0])
        bad.append([0] + good)
        bad.append(Self.noise(100))
        var damaged = good
        damaged[damaged.count - 1] ^= 1
        bad.append(damaged)
        for bytes in bad {
            do {
                _ = try inflater.bytes(of: Message(zlib: bytes), limit: 1 << 20)
                Issue.record("\(bytes.count) bytes inflated")
            } catch {
                #expect(error.code == .corruptMessage)
                #expect(error.status == .internal)
            }
        }
        let back = try inflater.bytes(of: Message(zlib: good), limit: 1 << 20)
        #expect(back == Self.text)
    }

    @Test("A compressed message crosses the wire in fragments and stays compressed until it is read (C-4)")
    func acrossTheWire() throws {
        var limits = Limits()
        limits.maxFramePayload = 40
        let pair = try Pair.connected(callee: limits, pieceSize: 11)
        var deflater = Deflater()
        let stream = try pair.open()
        let message = deflater.message(from: Self.text)
        _ = try pair.caller.sendMessage(message, on: stream)
        _ = try pair.caller.sendMessage(Message([1]), on: stream)
        pair.pump()
        var received: [Message] = []
        for case .messageReceived(_, let message, _) in pair.takeCalleeEvents() { received.append(message) }
        #expect(received.map(\.encoding) == [.zlib, .identity])
        #expect(received.first?.bytes == message.bytes)
        var inflater = Inflater()
        let first = try #require(received.first)
        let back = try inflater.bytes(of: first, limit: Self.text.count)
        #expect(back == Self.text)
    }

    @Test(
        "A compressed message is not sent to a peer that does not take them, nor one that is too large inflated (C-1)")
    func notAccepted() throws {
        var plain = Limits()
        plain.acceptsZlib = false
        var small = Limits()
        small.maxMessage = 1000
        var deflater = Deflater()
        let message = deflater.message(from: Self.text)
        for (limits, code) in [(plain, WireError.Code.misuse), (small, .tooLarge)] {
            let pair = try Pair.connected(callee: limits)
            let stream = try pair.open()
            #expect(throws: WireError(code, "")) { _ = try pair.caller.sendMessage(message, on: stream) }
        }
    }
}
