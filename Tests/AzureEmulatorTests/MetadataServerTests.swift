import AzureEmulator
import Foundation
import Glibc
import Logging
import Testing

/// The metadata service as machines reach it: by a socket.
@Suite struct MetadataServerTests {
    @Test("A machine's socket serves its metadata, and so does the next one in its place")
    func socket() async throws {
        let azure = try TestEmulator()
        let machine = try await azure.makeGuest()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("m-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("imds").path
        let server = MetadataServer(azure.emulator, machine: machine, logger: Logger(label: "test"))
        for _ in 0..<2 {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let (listening, says) = AsyncStream<Void>.makeStream()
                tasks.addTask { try await server.run(on: .unix(path)) { _ in says.yield() } }
                tasks.addTask {
                    for await _ in listening { break }
                    let text = try await Self.answer(
                        path, "/metadata/instance/compute/name?api-version=2021-02-01&format=text")
                    #expect(text.hasPrefix("HTTP/1.1 200 OK"))
                    #expect(text.hasSuffix("\r\n\r\nguest"))
                }
                // Whichever ends first: the server does not, unless it cannot listen.
                try await tasks.next()
                tasks.cancelAll()
            }
        }
    }

    /// The whole answer to a GET, read on a thread of its own: it blocks.
    private static func answer(_ path: String, _ target: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try ask(path, target) }) }
        }
    }

    private static func ask(_ path: String, _ target: String) throws -> String {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0)
        let request = Array(
            "GET \(target) HTTP/1.1\r\nHost: 169.254.169.254\r\nMetadata: true\r\nConnection: close\r\n\r\n".utf8)
        try #require(write(descriptor, request, request.count) == request.count)
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }
}
