package import SalvorJSON

/// A long-running operation: what Azure has promised to do, and when it will have been done.
package struct Operation: Sendable, Codable {
    package enum Status: String, Sendable, Codable {
        case inProgress = "InProgress"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case canceled = "Canceled"
    }

    package let id: String
    package let target: ResourceID
    /// The verb that its kind completes: `put`, `delete`, `start`.
    package let verb: String
    /// What the kind needs to complete it.
    package let input: JSONValue
    /// Where it is done; nil where its target has no location.
    package let location: String?
    /// In whose name it is done; nil where no client asked for it.
    package internal(set) var caller: Caller?
    package let began: EmulatorTime
    /// When it is to be looked at.
    package internal(set) var due: EmulatorTime
    package var status: Status
    package var ended: EmulatorTime?
    /// `properties.output` of the status document.
    package var output: JSONValue?
    package var error: JSONValue?

    package init(
        id: String, target: ResourceID, verb: String, input: JSONValue = [:], location: String? = nil,
        began: EmulatorTime, due: EmulatorTime
    ) {
        self.id = id
        self.target = target
        self.verb = verb
        self.input = input
        self.location = location
        self.began = began
        self.due = due
        status = .inProgress
    }

    package var isRunning: Bool { status == .inProgress }

    /// Contents of disks that the operation's work reads: `source` of its input, or several `sources`.
    package var sourceContents: [String] {
        (input["sources"]?.array ?? []).compactMap(\.string) + (input["source"]?.string.map { [$0] } ?? [])
    }

    /// All contents that its work uses: the sources, and the `target` that it makes.
    package var contents: [String] { sourceContents + (input["target"]?.string.map { [$0] } ?? []) }

    /// The document at the address in `Azure-AsyncOperation`.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(id), "status": .string(status.rawValue), "startTime": .string(began.text),
        ]
        if let ended { members["endTime"] = .string(ended.text) }
        if let error { members["error"] = error }
        if let output { members["properties"] = ["output": output] }
        return .object(members)
    }
}
