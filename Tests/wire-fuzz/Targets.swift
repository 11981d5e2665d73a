// Built by Tests/wire-fuzz/run together with SalvorWire's own sources, as one module: libFuzzer brings the main function, and
// the sanitizers have to see all of it. Each target takes bytes from outside where the wire does, and holds what must hold
// whatever they are; a trap, a sanitizer's report, or memory beyond the limit is a crash.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = start.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? []
    #if FUZZ_FRAMES
        Fuzz.frames(input)
    #elseif FUZZ_MACHINE
        Fuzz.machine(input)
    #elseif FUZZ_HEADERS
        Fuzz.headers(input)
    #elseif FUZZ_INFLATER
        Fuzz.inflater(input)
    #endif
    return 0
}

enum Fuzz {
    /// The frame decoder, over the same bytes whole and in pieces: it finds the same frames, or the same error.
    static func frames(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let sender: Role = first & 1 == 0 ? .caller : .callee
        let bytes = Array(input.dropFirst())
        let whole = decoded([bytes], sender)
        let piece = Int(first >> 1) + 1
        let pieces = stride(from: 0, to: bytes.count, by: piece).map { Array(bytes[$0..<min($0 + piece, bytes.count)]) }
        precondition(decoded(pieces, sender) == whole, "pieces make a difference")
    }

    /// What the decoder says, as text: frames are compared without knowing their kinds.
    private static func decoded(_ pieces: [[UInt8]], _ sender: Role) -> [String] {
        var decoder = FrameDecoder(peer: sender, limits: .standard, afterPreface: true)
        var said: [String] = []
        var payload: [UInt8] = []
        do throws(WireError) {
            for piece in pieces {
                var offset = 0
                while let part = try decoder.next(piece.span.bytes, &offset) {
                    switch part {
                    case .frame(let frame): said.append("\(frame)")
                    case .ignored: said.append("ignored")
                    case .message(let chunk):
                        payload += piece[chunk.bytes]
                        if chunk.isLast {
                            said.append("message \(chunk.header.stream) \(chunk.header.flags) \(payload)")
                            payload = []
                        }
                    }
                }
            }
        } catch {
            said.append("\(error.code)")
        }
        return said
    }

    /// A connection that has had a good opening, and then frames with time between them: it never traps, closes no stream
    /// twice, and holds no more than its limits allow.
    static func machine(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let role: Role = first & 1 == 0 ? .callee : .caller
        var limits = Limits.standard
        limits.initialStreamWindow = 4096
        limits.initialConnectionWindow = 8192
        limits.maxConcurrentStreams = 4
        var now = Instant(nanoseconds: 1)
        guard var machine = try? ConnectionMachine(role: role, limits: limits, now: now) else { return }
        var settings: [UInt8] = []
        guard (try? FrameEncoder.append(.settings(PeerSettings()), to: &settings)) != nil else { return }
        machine.receive(Preface.bytes + settings, now: now)
        if role == .caller {
            for _ in 0..<3 {
                _ = try? machine.openStream(RequestHeaders(path: "a/B", timeoutNanoseconds: 900), now: now)
            }
        }
        var closed: Set<StreamID> = []
        var owed: [(stream: StreamID, cost: Int)] = []
        var rest = input.dropFirst()
        while let control = rest.popFirst() {
            // One byte says how many bytes come at once, and how much time passes before them.
            now = now.advancedBy(UInt64(control >> 5) * 400)
            machine.timerFired(now: now)
            let count = min(Int(control & 31) + 1, rest.count)
            machine.receive(Array(rest.prefix(count)), now: now)
            rest = rest.dropFirst(count)
            while let event = machine.nextEvent() {
                switch event {
                case .streamClosed(let stream, _): precondition(closed.insert(stream).inserted, "closed twice")
                case .messageReceived(let stream, let message, let cost):
                    precondition(message.bytes.count <= Int(limits.maxMessage), "more than a message may hold")
                    owed.append((stream, cost))
                default: break
                }
            }
            if control & 1 == 1 {
                for (stream, cost) in owed { machine.consumed(cost, on: stream) }
                owed = []
            }
            precondition(machine.openStreamCount <= 4 || role == .caller, "more streams than allowed")
            while machine.nextOutbound(maxBytes: 512) != nil {}
        }
        machine.transportClosed()
    }

    /// Header blocks in a frame that is whole otherwise.
    static func headers(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let block = Array(input.dropFirst())
        let sender: Role = first & 1 == 0 ? .caller : .callee
        let type: FrameType = first & 2 == 0 ? .headers : .trailers
        // SPEC.md F-1: length, type, flags, stream.
        let length = UInt32(block.count)
        let header =
            (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) } + [type.rawValue, 0, 0, 0, 0, 1]
        _ = decoded([header + block], sender)
    }

    /// The decompressor: never more than the limit, and the same bytes for the same message.
    static func inflater(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let limit = 1 << (Int(first & 15) + 1)
        var inflater = Inflater()
        if let bytes = try? inflater.bytes(of: Message(zlib: Array(input.dropFirst())), limit: limit) {
            precondition(bytes.count <= limit, "inflated beyond the limit")
        }
        // It is as good afterwards as before.
        var deflater = Deflater()
        let text = [UInt8](repeating: first, count: 2000)
        let packed = deflater.message(from: text)
        precondition((try? inflater.bytes(of: packed, limit: 4000)) == text, "a bad message spoils the next")
    }
}

extension Instant {
    fileprivate func advancedBy(_ nanoseconds: UInt64) -> Instant { advanced(byNanoseconds: nanoseconds) }
}
