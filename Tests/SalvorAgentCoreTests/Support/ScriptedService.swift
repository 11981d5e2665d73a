import Glibc
import SalvorSystem
import Synchronization
import Testing

/// A service on 127.0.0.1 that answers its first connection with the first text, the next with the next, and the last
/// text for ever; whatever it is asked.
final class ScriptedService: Sendable {
    enum Answer: Sendable {
        case text(String)
        /// Nothing, for as long as the other side waits.
        case silence
    }

    let port: UInt16
    private let listener: Int32
    private let questions = Mutex<[String]>([])

    var asked: [String] { questions.withLock { $0 } }

    init(_ answers: [Answer]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(isListening)
        port = UInt16(bigEndian: place.sin_port)
        Task.detached { [self] in await Blocking.run { self.serve(answers) } }
    }

    /// A port that nobody listens on.
    static func closedPort() throws -> UInt16 {
        let service = try ScriptedService([])
        service.stop()
        return service.port
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    deinit { close(listener) }

    private func serve(_ answers: [Answer]) {
        var number = 0
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            defer { close(connection) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                bytes += buffer[..<count]
            }
            questions.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            guard !answers.isEmpty else { return }
            switch answers[min(number, answers.count - 1)] {
            case .text(let text): _ = Array(text.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
            // Until the other side hangs up.
            case .silence: _ = recv(connection, &buffer, buffer.count, 0)
            }
            number += 1
        }
    }
}
