import Foundation
import SalvorCoordinatorCore
import SalvorDigest
import SalvorJSON
import Testing

@testable import SalvorAzure

/// What a stock image is told, and that its script runs nothing but the agent that was meant. No guest runs it here.
@Suite struct CloudInitTests {
    private static let agent = Array("#!/bin/sh\necho the agent\n".utf8)

    private static func document(_ cloudInit: CloudInit) throws -> JSONValue {
        let text = try #require(Data(base64Encoded: try cloudInit.customData()))
        let head = Array("#cloud-config\n".utf8)
        try #require(text.starts(with: head))
        return try JSONValue.parse(Array(text.dropFirst(head.count)))
    }

    private static func cloudInit(url: String = "https://host.example/agent") -> CloudInit {
        CloudInit(
            agentURL: url, agentSHA256: SHA256.digest(of: agent), unit: "[Service]\nExecStart=/bin/true\n",
            bootstrap: [1, 2, 3])
    }

    private static func file(_ path: String, in document: JSONValue) throws -> JSONValue {
        try #require(document["write_files"]?.array?.first { $0["path"]?.string == path })
    }

    @Test func `it makes no user, lets nobody in, and keeps the bootstrap data to root`() throws {
        let document = try Self.document(Self.cloudInit())
        #expect(document["users"] == [] && document["disable_root"] == true && document["ssh_pwauth"] == false)
        let bootstrap = try Self.file(CloudInit.bootstrapPath, in: document)
        #expect(bootstrap["permissions"]?.string == "0600" && bootstrap["owner"]?.string == "root:root")
        #expect(bootstrap["content"]?.string.flatMap { Data(base64Encoded: $0) } == Data([1, 2, 3]))
        let dropIn = try Self.file("/etc/systemd/system/salvor-agent.service.d/azure.conf", in: document)
        #expect(dropIn["content"]?.string?.contains("--bootstrap \(CloudInit.bootstrapPath)") == true)
        #expect(document["runcmd"] == [["/usr/local/sbin/salvor-install"]])
    }

    /// Debian's cloud image has zlib, libstdc++ and libgcc; each other library of the agent's has to be installed.
    @Test func `the libraries that the agent is linked with, and the programs that it runs, are installed`() throws {
        let packages = try Self.document(Self.cloudInit())["packages"]?.array?.compactMap(\.string) ?? []
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let image = try String(contentsOf: root.appending(path: "Agent/image/packages.txt"), encoding: .utf8)
        for name in ["libssl3", "libhivex0", "ntfs-3g"] {
            #expect(packages.contains(name))
            #expect(image.split(separator: "\n").contains(Substring(name)), "the rescue image has no \(name)")
        }
    }

    @Test(arguments: ["ftp://host/agent", "https://host/a'b", "https://host/a b", "agent", "https://host/\u{7}"])
    func `an address that could be read as more than one is refused`(url: String) {
        #expect(throws: AzureError(.badSetting, "", nextStep: "")) { try Self.cloudInit(url: url).customData() }
    }

    @Test func `what is larger than Azure takes is refused`() {
        var large = Self.cloudInit()
        large.unit = String(repeating: "#\n", count: 40_000)
        #expect(throws: AzureError(.badSetting, "", nextStep: "")) { try large.customData() }
    }

    private enum Fetched: CaseIterable {
        case agent, another, cutShort, nothing

        var content: [UInt8]? {
            switch self {
            case .agent: CloudInitTests.agent
            case .another: Array("#!/bin/sh\necho another\n".utf8)
            case .cutShort: CloudInitTests.agent.dropLast()
            case .nothing: nil
            }
        }
    }

    @Test(arguments: Fetched.allCases)
    private func `the script installs and starts the agent of that digest, and powers off otherwise`(
        fetched: Fetched
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cloud-init-\(UUID().uuidString)")
        let programs = folder.appending(path: "bin")
        try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func program(_ name: String, _ text: String) throws {
            let path = programs.appending(path: name).path
            try #require(
                FileManager.default.createFile(
                    atPath: path, contents: Data("#!/bin/sh\n\(text)\n".utf8), attributes: [.posixPermissions: 0o755]))
        }
        // What would change this computer is written down instead.
        for name in ["systemctl", "poweroff"] { try program(name, "echo \(name) \"$@\" >>\(folder.path)/done") }
        if let content = fetched.content {
            try Data(content).write(to: folder.appending(path: "fetched"))
            try program(
                "curl",
                "while [ $# -gt 1 ]; do [ \"$1\" = --output ] && out=$2; shift; done; cp \(folder.path)/fetched \"$out\""
            )
        } else {
            try program("curl", "exit 22")
        }
        let written = try Self.file("/usr/local/sbin/salvor-install", in: try Self.document(Self.cloudInit()))
        let script = try #require(written["content"]?.string)
            .replacing("/run/salvor-agent", with: "\(folder.path)/incoming")
            .replacing(CloudInit.agentPath, with: "\(folder.path)/installed")
            .replacing("/dev/console", with: "\(folder.path)/console")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.environment = ["PATH": "\(programs.path):/usr/bin:/bin"]
        process.standardError = FileHandle.nullDevice
        await withCheckedContinuation { continuation in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume() }
        }
        let done = (try? String(contentsOf: folder.appending(path: "done"), encoding: .utf8)) ?? ""
        let installed = try? Data(contentsOf: folder.appending(path: "installed"))
        if fetched == .agent {
            #expect(process.terminationStatus == 0)
            #expect(installed == Data(Self.agent))
            #expect(done.contains("systemctl start --no-block salvor-agent.service") && !done.contains("poweroff"))
        } else {
            #expect(process.terminationStatus != 0)
            #expect(installed == nil && !done.contains("systemctl start"))
            #expect(done.contains("poweroff"))
        }
    }

    @Test func `a rescue VM is made of the stock image that was named`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure) {
                $0.image = .stock(
                    .debian, agentURL: "https://host.example/agent", agentSHA256: SHA256.digest(of: Self.agent),
                    unit: "[Service]\n")
            }
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "vm1")
            let host = try await provider.createHost(
                HostSpecification(
                    name: HostName(run: "20240719-060000-abcd", number: 1), coordinatorPort: 0,
                    route: provider.route(toCoordinatorPort: 7443), bootstrap: [1], machines: [machine]))
            let made = try await azure("GET", host.identifier).json["properties"]
            let image = made?["storageProfile"]?["imageReference"]
            #expect(image?["publisher"] == "Debian" && image?["offer"] == "debian-12" && image?["sku"] == "12-gen2")
            #expect(made?["osProfile"]?["linuxConfiguration"]?["disablePasswordAuthentication"] == true)
        }
    }
}
