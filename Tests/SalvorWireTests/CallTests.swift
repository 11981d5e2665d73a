import SalvorWire
import Testing

@Suite("Calls between two machines")
struct CallTests {
    @Test(
        "A unary call arrives whole, whatever the pieces it travels in (F-1, T-1, T-2, M-1)",
        arguments: [0, 1, 2, 3, 7, 9, 10, 11, 64, 1000])
    func unary(pieceSize: Int) throws {
        let pair = try Pair(caller: .standard)
        pair.pieceSize = pieceSize
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["ready"])
        #expect(lines(pair.takeCalleeEvents()) == ["ready"])

        var metadata = WireMetadata()
        metadata.append("trace", "abc")
        metadata.append("trace-bin", binary: [0, 255])
        let request = RequestHeaders(path: "salvor.v1.Health/Check", timeoutNanoseconds: 5, metadata: metadata)
        let stream = try pair.caller.openStream(request, now: pair.now)
        #expect(try pair.caller.sendMessage(Message([1, 2, 3]), on: stream, halfClose: true))
        pair.pump()
        let arrived = pair.takeCalleeEvents()
        #expect(lines(arrived) == ["opened 1 salvor.v1.Health/Check", "message 1 3 cost 13", "halfClosed 1"])
        guard case .streamOpened(_, let headers) = arrived[0], case .messageReceived(_, let message, _) = arrived[1]
        else {
            return
        }
        #expect(headers == request)
        #expect(message == Message([1, 2, 3]))

        try pair.callee.sendHeaders(metadata, on: stream)
        #expect(try pair.callee.sendMessage(Message([]), on: stream))
        try pair.callee.sendTrailers(Trailers(code: .notFound, message: "no such disk"), on: stream)
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == ["closed 1 finished"])
        #expect(
            lines(pair.takeCallerEvents()) == [
                "headers 1 2", "message 1 0 cost 10", "trailers 1 5 no such disk", "closed 1 finished",
            ])
        #expect(pair.caller.openStreamCount == 0)
        #expect(pair.callee.openStreamCount == 0)
    }
}
