import FoundationEssentials
import SalvorMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import SalvorAgentCore

/// What the agent does with what an instance metadata service answers, or does not.
struct InstanceMetadataTests {
    private static func answer(_ status: String, _ body: String = "") -> ScriptedService.Answer {
        .text("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private func fetch(
        _ port: UInt16, limit: Duration = .seconds(30), attempt: Duration = .seconds(5), told: Told = Told()
    ) async throws(AgentError) -> [UInt8] {
        try await InstanceMetadata(address: "127.0.0.1", port: port).userData(
            limit: limit, attempt: attempt, pause: .milliseconds(1)
        ) { told.add($0) }
    }

    private final class Told: Sendable {
        private let reasons = Mutex<[String]>([])
        func add(_ reason: String) { reasons.withLock { $0.append(reason) } }
        var all: [String] { reasons.withLock { $0 } }
    }

    @Test("It asks as Azure wants to be asked, and decodes what comes")
    func asks() async throws {
        let service = try ScriptedService([Self.answer("200 OK", "AAEC\r\n/w==\n")])
        defer { service.stop() }
        #expect(try await fetch(service.port) == [0, 1, 2, 255])
        let question = try #require(service.asked.first)
        #expect(
            question.hasPrefix(
                "GET /metadata/instance/compute/userData?api-version=2021-01-01&format=text HTTP/1.1\r\n"))
        #expect(question.contains("\r\nMetadata: true\r\n"))
        #expect(!question.lowercased().contains("forwarded"))
    }

    @Test("It waits while the service comes up, and says why, once for each reason")
    func waits() async throws {
        let told = Told()
        let service = try ScriptedService([
            .text(""), .text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nAA"), Self.answer("404 Not Found", "secret"),
            Self.answer("404 Not Found"), Self.answer("410 Gone"), Self.answer("429 Too Many Requests"),
            Self.answer("503 Service Unavailable"), Self.answer("200 OK"), Self.answer("200 OK", "AAEC"),
        ])
        defer { service.stop() }
        #expect(try await fetch(service.port, told: told) == [0, 1, 2])
        #expect(service.asked.count == 9)
        #expect(
            told.all == [
                "its answer breaks off", "it answered with status 404", "it answered with status 410",
                "it answered with status 429", "it answered with status 503", "the machine has no userData",
            ])
    }

    @Test(
        "What will not get better ends it at once, a redirect among it, and nothing of the answer is told",
        arguments: [
            ("301 Moved Permanently", "U0VDUkVU", "status 301"), ("400 Bad Request", "U0VDUkVU", "status 400"),
            ("403 Forbidden", "U0VDUkVU", "status 403"), ("200 OK", "U0VDUkVU!", "not base64"),
            ("200 OK", String(repeating: "U0VDUkVU", count: 12_000), "too long"),
        ])
    func refuses(status: String, body: String, why: String) async throws {
        let service = try ScriptedService([Self.answer(status, body), Self.answer("200 OK", "AAEC")])
        defer { service.stop() }
        let error = await #expect(throws: AgentError(.invalidBootstrap, "", next: "")) { try await fetch(service.port) }
        #expect(error?.message.contains(why) == true, "\(String(describing: error))")
        #expect(!"\(String(describing: error))".contains("U0VDUkVU"))
        #expect(service.asked.count == 1)
    }

    @Test("It gives up when its time is over: nobody there, or nobody who answers")
    func givesUp() async throws {
        let closed = try ScriptedService.closedPort()
        let refused = await #expect(throws: AgentError.self) { try await fetch(closed, limit: .milliseconds(50)) }
        #expect(refused?.message.contains("connect: Connection refused") == true, "\(String(describing: refused))")
        let silent = try ScriptedService([.silence])
        defer { silent.stop() }
        let late = await #expect(throws: AgentError.self) {
            try await fetch(silent.port, limit: .milliseconds(300), attempt: .milliseconds(100))
        }
        #expect(late?.message.contains("it did not answer in time") == true, "\(String(describing: late))")
    }

    @Test("A service that is silent once is asked again")
    func silence() async throws {
        let service = try ScriptedService([.silence, Self.answer("200 OK", "AAEC")])
        defer { service.stop() }
        #expect(try await fetch(service.port, attempt: .milliseconds(200)) == [0, 1, 2])
    }

    @Test("Bootstrap data in a file comes first; an empty file means the service")
    func order() async throws {
        let bootstrap = Salvor_V1_Bootstrap.with {
            $0.version = 1
            $0.host = "rescue-1"
            $0.run = "run-7"
            $0.coordinator = "10.0.0.4:7291"
            $0.caFingerprint = Data(repeating: 1, count: 32)
            $0.enrolmentToken = Data(repeating: 2, count: 32)
            $0.coordinatorTimeoutSeconds = 600
        }
        let bytes: [UInt8] = try bootstrap.serializedBytes()
        let service = try ScriptedService([Self.answer("200 OK", Data(bytes).base64EncodedString())])
        defer { service.stop() }
        let metadata = InstanceMetadata(address: "127.0.0.1", port: service.port)
        let scratch = try Scratch()
        let file = "\(scratch.path)/bootstrap"
        try Data(bytes).write(to: URL(filePath: file))
        #expect(try await Salvor_V1_Bootstrap.read(from: file, orFrom: metadata) { _ in } == bootstrap)
        #expect(service.asked.isEmpty)
        try Data().write(to: URL(filePath: file))
        #expect(try await Salvor_V1_Bootstrap.read(from: file, orFrom: metadata) { _ in } == bootstrap)
        #expect(service.asked.count == 1)
    }
}
