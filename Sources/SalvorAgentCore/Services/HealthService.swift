internal import GRPCCore
internal import Glibc
internal import SalvorMessages
internal import SwiftProtobuf

struct HealthService: Salvor_V1_Health.SimpleServiceProtocol {
    /// Version of the contract in Protocol/salvor that this agent speaks.
    static let protocolVersion: UInt32 = 1

    private let configuration: AgentConfiguration
    private let leases: DiskLeases
    private let ntfs3g: ToolVersion

    init(_ configuration: AgentConfiguration, leases: DiskLeases) {
        self.configuration = configuration
        self.leases = leases
        ntfs3g = ToolVersion(tool: configuration.tools.ntfs3g)
    }

    func check(request: Salvor_V1_CheckRequest, context: ServerContext) async throws -> Salvor_V1_CheckResponse {
        .with { $0.serving = leases.isDraining ? .draining : .ok }
    }

    func version(request: Salvor_V1_VersionRequest, context: ServerContext) async throws -> Salvor_V1_VersionResponse {
        let tool = try await ntfs3g.line()
        return .with {
            $0.agent = configuration.version
            $0.protocol = Self.protocolVersion
            $0.kernel = Self.kernelRelease()
            $0.ntfs3G = tool
            $0.host = configuration.host
        }
    }

    private static func kernelRelease() -> String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// What a tool says of itself; asked once, since it does not change and a process costs milliseconds.
private actor ToolVersion {
    private let tool: String
    private var known: String?

    init(tool: String) { self.tool = tool }

    func line() async throws(AgentError) -> String {
        if let known { return known }
        let result = try await runTool(tool, ["--version"], timeout: .seconds(10))
        let text = result.output + result.errorOutput
        let line = printable(text.drop { $0 == UInt8(ascii: "\n") }.prefix { $0 != UInt8(ascii: "\n") })
        known = line
        return line
    }
}
