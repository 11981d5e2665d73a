internal import SalvorJSON
internal import Synchronization

/// Azure's Instance Metadata Service, as one machine sees it: a request in, an answer out.
package struct InstanceMetadata: Sendable {
    /// Where guests reach it.
    package static let address = "169.254.169.254"

    private let emulator: Emulator
    private let machine: ResourceID?
    private let identityHeader: String?

    static let versions = [
        "2017-03-01", "2017-04-02", "2017-08-01", "2017-10-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01",
        "2019-02-01", "2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01",
        "2020-06-01", "2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01",
        "2021-05-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15",
    ]

    /// - Parameters:
    ///   - machine: nil for the machine that the emulator runs on.
    ///   - identityHeader: the secret of the App Service form; nil where there is no such form.
    package init(_ emulator: Emulator, machine: ResourceID?, identityHeader: String? = nil) {
        self.emulator = emulator
        self.machine = machine
        self.identityHeader = identityHeader
    }

    package func answer(_ request: EmulatorRequest) async -> EmulatorResponse {
        let segments = request.path.split(separator: "/").map { $0.lowercased() }
        if let machine, let answer = await WireServer(emulator: emulator, machine: machine).answer(request, segments) {
            return answer
        }
        let identity = ManagedIdentity(emulator: emulator, machine: machine)
        if let identityHeader, segments == ["msi", "token"] {
            return identity.answerAppService(request, header: identityHeader)
        }
        guard segments.first == "metadata" else { return Self.error(404, "Not found") }
        if segments.dropFirst().first == "identity" {
            return identity.answer(request, Array(segments.dropFirst(2)))
        }
        if let refusal = Self.refusal(of: request) { return Self.error(400, "Bad request. \(refusal)") }
        guard request.method == "GET" else { return Self.error(405, "Method not allowed") }
        switch segments.dropFirst().first {
        case "versions" where segments.count == 2:
            return EmulatorResponse(200, json: ["apiVersions": .array(Self.versions.map { .string($0) })])
        case "instance": return instance(request, Array(segments.dropFirst(2)))
        default: return Self.error(404, "Not found")
        }
    }

    /// What keeps a page or a proxy on the machine from asking in its name.
    static func refusal(of request: EmulatorRequest) -> String? {
        if request.headers["metadata"]?.lowercased() != "true" { return "Required metadata header not specified" }
        if request.headers["x-forwarded-for"] != nil {
            return "Requests with an X-Forwarded-For header are not allowed"
        }
        return nil
    }

    private func instance(_ request: EmulatorRequest, _ path: [String]) -> EmulatorResponse {
        guard let machine, let document = emulator.look({ MachineDocument(machine, in: $0)?.json }) else {
            return Self.error(404, "Not found")
        }
        guard let version = request.query["api-version"], Self.versions.contains(version) else {
            let why =
                request.query["api-version"] == nil
                ? "api-version was not specified in the request" : "api-version is invalid"
            return EmulatorResponse(
                400,
                json: [
                    "error": .string("Bad request. \(why). For more information refer to aka.ms/azureimds"),
                    "newest-versions": .array(Self.versions.suffix(3).reversed().map { .string($0) }),
                ])
        }
        var value = document
        for name in path {
            let next: JSONValue? =
                if let items = value.array {
                    Int(name).flatMap { items.indices.contains($0) ? items[$0] : nil }
                } else { value[member: name] }
            guard let next else { return Self.error(404, "Not found") }
            value = next
        }
        switch request.query["format"]?.lowercased() ?? "json" {
        case "json":
            // Of a leaf there is no JSON: the documents say to ask for text.
            guard value.object != nil || value.array != nil else {
                return Self.error(
                    400, "Bad request. The requested format is not supported for this resource: use format=text")
            }
            return EmulatorResponse(200, json: value)
        case "text": return Self.text(value)
        default: return Self.error(400, "Bad request. The format is json or text")
        }
    }

    /// A leaf's value, or the names below a node, a line each; those that have more below them end with a slash.
    private static func text(_ value: JSONValue) -> EmulatorResponse {
        let text: String
        switch value {
        case .object(let members):
            text = members.sorted { $0.key < $1.key }.map { name, member in
                member.object == nil && member.array == nil ? name : name + "/"
            }.joined(separator: "\n")
        case .array(let items): text = items.indices.map { "\($0)/" }.joined(separator: "\n")
        default: text = value.string ?? ""
        }
        return EmulatorResponse(
            200, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
    }

    private static func error(_ status: Int, _ text: String) -> EmulatorResponse {
        EmulatorResponse(status, json: ["error": .string(text)])
    }
}

extension Emulator {
    /// Looks at the state as it is now.
    func look<Result: Sendable>(_ body: (EmulatorState) -> Result) -> Result { core.withLock { body($0.state) } }

    /// A resource as it is now, with what is not shown of it.
    package func record(_ id: ResourceID) -> Record? { look { $0[id] } }
}
