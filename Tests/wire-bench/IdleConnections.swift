import ArgumentParser
import BenchFigures
import GRPCCore
import Glibc
import SalvorImage
import SalvorTransport
import Subprocess
import SystemPackage

/// What connections weigh that nobody uses, in a process that does nothing but hold them. They are made from this process,
/// which is not weighed.
struct IdleConnections {
    struct Weight {
        var thousandKibibytes: Double
        var tenThousandMebibytes: Double
        var peerKibibytes: Double
    }

    let scratch: FilePath

    func measure() async throws -> Weight {
        let authority = try CertificateAuthority(run: "bench")
        try authority.save(toFile: scratch.appending("authority").string)
        let side = try SalvorSide(authority)
        let ours = try await holding("salvor") { held in
            var connections: [Connection] = []
            func connect(_ count: Int) async throws {
                while connections.count < count { connections.append(try await side.connect(to: held.port)) }
            }
            var weights: [Double] = []
            for count in [20, 1020, 10_020] {
                try await connect(count)
                weights.append(try await held.residentKibibytes())
            }
            for connection in connections { connection.close() }
            return weights
        }
        let http2 = HTTP2Side(certificates: scratch)
        let peer = try await holding("http2") { held in
            try await withThrowingTaskGroup(of: Void.self) { group in
                var weights: [Double] = []
                var clients: [GRPCClient<HTTP2Side.Client>] = []
                for count in [20, 1020] {
                    while clients.count < count {
                        let client = GRPCClient(transport: try http2.client(port: held.port))
                        clients.append(client)
                        group.addTask { try await client.runConnections() }
                        try await EchoClient(client: client).echo([1])
                    }
                    weights.append(try await held.residentKibibytes())
                }
                for client in clients { client.beginGracefulShutdown() }
                try await group.waitForAll()
                return weights
            }
        }
        let weight = Weight(
            thousandKibibytes: (ours[1] - ours[0]) / 1000, tenThousandMebibytes: ours[2] / 1024,
            peerKibibytes: (peer[1] - peer[0]) / 1000)
        print(
            "idle: \(weight.thousandKibibytes.text(1)) KiB each, and \(weight.peerKibibytes.text(1)) KiB; 10,000 take "
                + "\(weight.tenThousandMebibytes.text(0)) MiB in all")
        return weight
    }

    private struct Held: Sendable {
        var pid: Int
        var port: Int

        /// Once it no longer changes by more than a hundredth: what a handshake took is given back a moment later.
        func residentKibibytes() async throws -> Double {
            var last = 0.0
            for _ in 0..<50 {
                try await Task.sleep(for: .milliseconds(200))
                let now = try look()
                if abs(now - last) < now / 100 { return now }
                last = now
            }
            return last
        }

        private func look() throws -> Double {
            let text = String(decoding: try Posix.read(FilePath("/proc/\(pid)/status")), as: UTF8.self)
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
                let count = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
                    .flatMap({ Double($0) })
            else { throw BenchFailure("/proc/\(pid)/status has no VmRSS") }
            return count
        }
    }

    /// Runs `body` while a process of its own holds what is connected to it.
    private func holding<Result: Sendable>(
        _ side: String, _ body: @escaping @Sendable (Held) async throws -> Result
    ) async throws -> Result {
        let own = try Posix.destination(ofSymlink: "/proc/self/exe")
        let answer = scratch.appending("\(side).held")
        let arguments = Arguments(["hold", side, "--folder", scratch.string, "--answer", answer.string])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let result = try await Subprocess.run(
                    .path(FilePath(own)), arguments: arguments, output: .discarded, error: .string(limit: 1 << 16))
                if !Task.isCancelled { throw BenchFailure("the holding process ended: \(result.standardError)") }
            }
            let held = try await awaitAnswer(answer)
            let result = try await body(held)
            // Cancelled, it is killed.
            group.cancelAll()
            return result
        }
    }

    private func awaitAnswer(_ answer: FilePath) async throws -> Held {
        for _ in 0..<300 {
            let words =
                (try? Posix.read(answer)).map { String(decoding: $0, as: UTF8.self).split(separator: " ") } ?? []
            if words.count == 2, let pid = Int(words[0]), let port = Int(words[1]) { return Held(pid: pid, port: port) }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchFailure("the holding process does not say where it listens")
    }
}

/// The process that holds connections.
struct Hold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Hold the connections that come, until it is killed.", shouldDisplay: false)

    @Argument(help: "salvor or http2.")
    var side: String

    @Option(help: "Where the authority and the certificates are.")
    var folder: String

    @Option(help: "The file that gets this process's number and port.")
    var answer: String

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let folder = FilePath(folder)
        switch side {
        case "salvor":
            let authority = try CertificateAuthority(contentsOfFile: folder.appending("authority").string)
            let listener = try await SalvorSide(authority).listen()
            try say(listener.port)
            var held: [Connection] = []
            for await connection in listener.connections { held.append(connection) }
        case "http2":
            try await HTTP2Side(certificates: folder).serving { port in
                try say(port)
                try await Task.sleep(for: .seconds(86_400))
            }
        default: throw ValidationError("salvor or http2")
        }
    }

    private func say(_ port: Int) throws {
        // Whole at once: whoever reads it reads all of it.
        let partial = FilePath(answer + ".partial")
        try Posix.write(Array("\(getpid()) \(port)".utf8), to: partial)
        try Posix.rename(partial, to: FilePath(answer))
    }
}
