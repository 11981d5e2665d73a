import SalvorWire
import Testing

@Suite("Golden vectors")
struct VectorTests {
    @Test("An opening means the settings that it names (P-1, S-1)", arguments: Vectors.openings)
    func opening(_ vector: Vectors.Opening) throws {
        let frames = try decode([bytes(hex: vector.hex)], from: .callee, afterPreface: false)
        guard case .settings(let settings)? = frames.first, frames.count == 1 else {
            Issue.record("\(frames) is not one SETTINGS")
            return
        }
        let read: [String: UInt32] = [
            "maxConcurrentStreams": settings.maxConcurrentStreams, "initialStreamWindow": settings.initialStreamWindow,
            "initialConnectionWindow": settings.initialConnectionWindow, "maxFramePayload": settings.maxFramePayload,
            "maxMessage": settings.maxMessage, "maxHeaderBlock": settings.maxHeaderBlock,
            "maxMetadataEntries": settings.maxMetadataEntries, "acceptsZlib": settings.acceptsZlib ? 1 : 0,
        ]
        #expect(read == vector.settings)
    }

    @Test("The limits that SPEC.md names as defaults are those of the code")
    func defaults() {
        var settings = PeerSettings(Limits.standard)
        #expect(settings.acceptsZlib)
        settings.acceptsZlib = false
        #expect(settings == PeerSettings())
    }

    @Test("Bytes mean their frame and the frame is written as those bytes (F-1, F-5, F-6)", arguments: Vectors.valid)
    func valid(_ vector: Vectors.Valid) throws {
        let wanted = try #require(Frame(vector.frame))
        #expect(try decode([bytes(hex: vector.hex)], from: role(vector.sender)) == [wanted])
        #expect(hex(try encode(wanted)) == vector.hex)
    }

    @Test(
        "All frames in a row are read the same at every split into two, and byte by byte",
        arguments: ["caller", "callee"])
    func splits(sender: String) throws {
        let vectors = Vectors.valid.filter { $0.sender == sender }
        let stream = vectors.flatMap { bytes(hex: $0.hex) }
        let wanted = vectors.compactMap { Frame($0.frame) }
        for split in 0...stream.count {
            let pieces = [[UInt8](stream[..<split]), [UInt8](stream[split...])]
            #expect(try decode(pieces, from: role(sender)) == wanted, "split at \(split)")
        }
        #expect(try decode(stream.map { [$0] }, from: role(sender)) == wanted)
    }

    @Test("What is invalid is refused with its code, whole or byte by byte (H-9)", arguments: Vectors.invalid)
    func invalid(_ vector: Vectors.Invalid) throws {
        let stream = bytes(hex: vector.hex)
        for pieces in [[stream], stream.map { [$0] }] {
            do {
                let frames = try decode(
                    pieces, from: role(vector.sender), afterPreface: !(vector.opening ?? false))
                Issue.record("\(frames) came out of it")
            } catch {
                #expect(error.code.errorCode?.description == vector.error)
                #expect(!error.message.isEmpty)
            }
        }
    }

    @Test(
        "A machine answers an invalid frame with one GOAWAY of its code, and then hears nothing (E-1, E-4)",
        arguments: Vectors.invalid)
    func machine(_ vector: Vectors.Invalid) throws {
        let sender = role(vector.sender)
        let now = Instant(nanoseconds: 0)
        var machine = try ConnectionMachine(role: sender.peer, now: now)
        if vector.opening != true { machine.receive(bytes(hex: Vectors.openings[0].hex), now: now) }
        machine.receive(bytes(hex: vector.hex), now: now)
        machine.receive(bytes(hex: vector.hex), now: now)
        var events: [Event] = []
        while let event = machine.nextEvent() { events.append(event) }
        #expect(lines(events).filter { $0 != "ready" } == ["failed \(vector.error)"])
        let isClosed = machine.isClosed
        #expect(isClosed)

        let output = machine.nextOutbound(maxBytes: 1 << 16) ?? []
        let sent = try decode([output], from: sender.peer, afterPreface: false)
        guard case .goAway(let goAway)? = sent.last else {
            Issue.record("\(sent) does not end in GOAWAY")
            return
        }
        #expect(goAway.code.description == vector.error)
    }

    @Test("A frame of unknown type is skipped, with any flags and stream, at every split (F-7, V-2)")
    func unknown() throws {
        let ping = try encode(.ping(isAnswer: false, opaque: 7))
        let stream = [0, 0, 0, 3, 200, 0xff, 0, 0, 0, 2, 1, 2, 3] + ping
        for split in 0...stream.count {
            let pieces = [[UInt8](stream[..<split]), [UInt8](stream[split...])]
            #expect(try decode(pieces, from: .caller) == [.ping(isAnswer: false, opaque: 7)])
        }
    }
}
