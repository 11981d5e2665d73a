import ArgumentParser
import BenchFigures
import Glibc
import SalvorImage
import SystemPackage

/// Measures Salvor's transport beside grpc-swift-nio-transport's HTTP/2, on loopback, with the same GRPCCore service.
@main
struct WireBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire-bench",
        abstract: "Measure Salvor's transport beside gRPC's HTTP/2 and OpenSSL alone, on loopback.",
        discussion: """
            Both ends run in this process, on the same event loops. Each round measures one side after the other, and a \
            ratio is the median of the rounds'. A missed goal is said and is no failure.
            """,
        subcommands: [Measure.self, Hold.self], defaultSubcommand: Measure.self)
}

struct Measure: AsyncParsableCommand {
    @Option(help: "Rounds of each measure.")
    var rounds = 5

    @Option(help: "Seconds of each side in each round.")
    var seconds = 2

    @Option(help: "The folder for wire.json and what is needed on the way.")
    var output = ".build/bench"

    @Option(help: "A Markdown file whose table of figures is to be renewed.")
    var table: String?

    @Flag(help: "Only Salvor's streams and OpenSSL's alone, for a look at one thing. Writes no figures.")
    var streamsOnly = false

    private static let peerName = "grpc-swift-nio-transport"
    private static let downloadChunks = 2000

    func validate() throws {
        guard rounds > 0, seconds > 0 else { throw ValidationError("At least one round and one second are needed.") }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let output = try Posix.absolute(FilePath(output))
        try Posix.makeDirectories(output)
        let scratch = try Posix.makeTemporaryDirectory(in: output, prefix: ".bench-")
        defer { Posix.removeTree(scratch) }
        try await Certificates.make(in: scratch)
        let host = try HostDescription()
        print(host.text)
        let salvor = try SalvorSide()
        let http2 = HTTP2Side(certificates: scratch)
        let raw = RawTLS(certificates: scratch)

        guard !streamsOnly else {
            try await compareStreams(salvor, raw)
            return
        }
        var figures: [Figure] = []
        for concurrency in [1, 16, 256] {
            figures.append(try await unary(concurrency, salvor, http2))
        }
        let (ours, peer, limit) = try await streams(salvor, http2, raw)
        figures.append(
            Figure(
                rate: "server stream of 64 KiB messages", ours: ours, peer: peer, unit: "MB/s",
                peerName: Self.peerName, goal: 1.5))
        figures.append(
            Figure(
                rate: "the same beside OpenSSL alone", ours: ours, peer: limit, unit: "MB/s",
                peerName: "OpenSSL, blocking sockets", goal: 0.85))
        figures.append(try await handshakes(salvor, http2))
        figures.append(try await bytesPerCall(salvor, http2))
        let idle = try await IdleConnections(scratch: scratch).measure()
        figures.append(
            Figure(
                "RSS per idle connection, 1,000 of them (\(Self.peerName): \(idle.peerKibibytes.text(1)) KiB)",
                idle.thousandKibibytes, unit: "KiB", goal: .atMost(100)))
        figures.append(
            Figure(
                "RSS of 10,000 idle connections", idle.tenThousandMebibytes, unit: "MiB", goal: .atMost(1024), digits: 0
            ))
        try BenchReport(
            bench: "wire-bench", host: host,
            method:
                "\(rounds) rounds of \(seconds) s for each side, both ends in one process; messages of 64 bytes; TLS 1.3 with "
                + "certificates on both sides; bytes as the loopback interface counts them, TCP and IP included.",
            figures: figures
        ).publish(json: output.appending("wire.json"), table: table.map { FilePath($0) })
    }

    private func unary(_ concurrency: Int, _ salvor: SalvorSide, _ http2: HTTP2Side) async throws -> Figure {
        var ours: [Double] = []
        var peer: [Double] = []
        for _ in 0..<rounds {
            ours.append(try await salvor.with { try await callsPerSecond($0, concurrency) })
            peer.append(try await http2.with { try await callsPerSecond($0, concurrency) })
        }
        print("unary, \(concurrency) at a time: \(ours.median.text(0))/s, and \(peer.median.text(0))/s")
        return Figure(
            rate: "unary calls, \(concurrency) at a time", ours: ours, peer: peer, unit: "calls/s",
            peerName: Self.peerName, goal: 2)
    }

    private func callsPerSecond(_ calls: any EchoCalls, _ concurrency: Int) async throws -> Double {
        let message = [UInt8](repeating: 7, count: 64)
        for _ in 0..<200 { try await calls.echo(message) }
        let duration = Duration.seconds(seconds)
        let began = ContinuousClock.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    var count = 0
                    while began.duration(to: .now) < duration {
                        try await calls.echo(message)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / (began.duration(to: .now) / .seconds(1))
    }

    private func streams(
        _ salvor: SalvorSide, _ http2: HTTP2Side, _ raw: RawTLS
    ) async throws -> (ours: [Double], peer: [Double], limit: [Double]) {
        var (ours, peer, limit) = ([Double](), [Double](), [Double]())
        for _ in 0..<rounds {
            ours.append(try await salvor.with { try await megabytesPerSecond($0) })
            peer.append(try await http2.with { try await megabytesPerSecond($0) })
            limit.append(try rawMegabytesPerSecond(raw))
        }
        print(
            "stream: \(ours.median.text(0)) MB/s, \(peer.median.text(0)) MB/s, OpenSSL alone \(limit.median.text(0)) MB/s"
        )
        return (ours, peer, limit)
    }

    private func compareStreams(_ salvor: SalvorSide, _ raw: RawTLS) async throws {
        for round in 1...rounds {
            let ours = try await salvor.with { try await megabytesPerSecond($0) }
            let limit = try rawMegabytesPerSecond(raw)
            print("\(round): \(ours.text(0)) MB/s, OpenSSL alone \(limit.text(0)) MB/s, \((ours / limit).text(2)) ×")
        }
    }

    private func megabytesPerSecond(_ calls: any EchoCalls) async throws -> Double {
        _ = try await calls.download(chunks: 50)
        let duration = Duration.seconds(seconds)
        let began = ContinuousClock.now
        var bytes = 0
        while began.duration(to: .now) < duration {
            let count = try await calls.download(chunks: Self.downloadChunks)
            guard count == Self.downloadChunks * EchoService.chunkBytes else {
                throw BenchFailure("\(count) bytes came")
            }
            bytes += count
        }
        return Double(bytes) / 1_000_000 / (began.duration(to: .now) / .seconds(1))
    }

    /// As long as the others, or as near as a second's bytes allow: its connection is made before the clock starts.
    private func rawMegabytesPerSecond(_ raw: RawTLS) throws -> Double {
        try raw.megabytesPerSecond(seconds * 1_000_000_000)
    }

    private func handshakes(_ salvor: SalvorSide, _ http2: HTTP2Side) async throws -> Figure {
        var ours: [Double] = []
        var peer: [Double] = []
        for _ in 0..<rounds {
            ours.append(try await salvor.handshakes(for: .seconds(seconds)))
            peer.append(try await http2.handshakes(for: .seconds(seconds)))
        }
        print("handshakes: \(ours.median.text(0))/s, and \(peer.median.text(0))/s")
        return Figure(
            rate: "connections made, one after the other", ours: ours, peer: peer, unit: "/s", peerName: Self.peerName,
            goal: 1)
    }

    private func bytesPerCall(_ salvor: SalvorSide, _ http2: HTTP2Side) async throws -> Figure {
        let measure: @Sendable (any EchoCalls) async throws -> Double = { calls in
            let message = [UInt8](repeating: 7, count: 64)
            let count = 2000
            for _ in 0..<200 { try await calls.echo(message) }
            let before = try Loopback.bytes()
            for _ in 0..<count { try await calls.echo(message) }
            return Double(try Loopback.bytes() - before) / Double(count)
        }
        let ours = try await salvor.with(measure)
        let peer = try await http2.with(measure)
        print("bytes per call: \(ours.text(0)), and \(peer.text(0))")
        return Figure(
            rate: "bytes on the wire per unary call, the peer's over ours", ours: [peer], peer: [ours], unit: "bytes",
            peerName: "Salvor", goal: 1)
    }
}

/// What the loopback interface has carried.
enum Loopback {
    static func bytes() throws -> Int {
        let text = String(decoding: try Posix.read("/proc/net/dev"), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.contains("lo:") }),
            let count = line.split(separator: ":").last?.split(separator: " ").first.flatMap({ Int($0) })
        else { throw BenchFailure("/proc/net/dev has no line of lo") }
        return count
    }
}

/// An authority and one certificate, by the openssl program: not ours, so that neither side is favoured.
enum Certificates {
    static func make(in folder: FilePath) async throws {
        let tools = ToolRunner()
        func path(_ name: String) -> String { folder.appending(name).string }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try await tools.output(
            "openssl",
            ["req", "-x509"] + key + [
                "-subj", "/CN=bench authority", "-keyout", path("ca.key"), "-out", path("ca.pem"),
            ])
        try await tools.output(
            "openssl",
            ["req", "-x509"] + key + [
                "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-subj", "/CN=bench", "-addext",
                "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout",
                path("key.pem"),
                "-out", path("cert.pem"),
            ])
    }
}
