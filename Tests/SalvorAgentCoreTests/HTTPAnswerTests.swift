import Testing

@testable import SalvorAgentCore

struct HTTPAnswerTests {
    private func parse(_ text: String, isWhole: Bool = false) throws(HTTPAnswer.Fault) -> HTTPAnswer? {
        try HTTPAnswer.parse(Array(text.utf8), isWhole: isWhole, longestBody: 10)
    }

    @Test(
        "An answer is whole when its length says so, and however it comes in",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: y\r\n\r\nabcd", 200, "abcd"),
            ("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", 404, ""),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 200, "abcd"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789"),
        ])
    func whole(text: String, status: Int, body: String) throws {
        let bytes = Array(text.utf8)
        var answer: HTTPAnswer?
        for count in 0...bytes.count where answer == nil {
            answer = try HTTPAnswer.parse(Array(bytes.prefix(count)), isWhole: false, longestBody: 10)
        }
        #expect(answer == HTTPAnswer(status: status, body: Array(body.utf8)))
    }

    @Test("Without a length the end of the connection is the end of the answer")
    func untilTheEnd() throws {
        let text = "HTTP/1.0 200 OK\r\n\r\nabc"
        #expect(try parse(text) == nil)
        #expect(try parse(text, isWhole: true) == HTTPAnswer(status: 200, body: Array("abc".utf8)))
    }

    @Test(
        "What breaks off is no answer",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ])
    func truncated(text: String) throws {
        #expect(try parse(text) == nil)
        #expect(throws: HTTPAnswer.Fault.truncated) { try parse(text, isWhole: true) }
    }

    @Test(
        "What is no HTTP, or more than was asked for, is refused as soon as that shows",
        arguments: [
            ("SSH-2.0\r\n\r\n", false), ("HTTP/1.1 20 OK\r\n\r\n", false), ("HTTP/1.1\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", false), ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", true), ("HTTP/1.1 200 OK\r\n\r\n01234567890", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", true),
            (String(repeating: "x", count: HTTPAnswer.longestHead + 1), true),
            ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: HTTPAnswer.longestHead))\r\n\r\n", true),
        ])
    func refused(text: String, isTooLong: Bool) {
        let fault = #expect(throws: HTTPAnswer.Fault.self) { try parse(text) }
        #expect((fault == .tooLong) == isTooLong, "\(String(describing: fault))")
    }
}
