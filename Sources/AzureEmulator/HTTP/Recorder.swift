internal import Foundation
internal import SalvorJSON
internal import Synchronization

/// Writes down what the Resource Manager was asked and what it answered, a JSON object a line, for whoever wants to see what
/// a client does. Secrets are left out.
package final class Recorder: Sendable {
    private let file: Mutex<FileHandle>

    /// - Parameter path: of a file that is added to, and made where it is missing, readable by its owner alone.
    package init(path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        file = Mutex(handle)
    }

    func record(_ request: EmulatorRequest, _ response: EmulatorResponse) {
        var line: JSONValue = [
            "method": .string(request.method), "path": .string(request.path),
            "apiVersion": .string(request.query["api-version"] ?? ""), "status": .integer(Int64(response.status)),
        ]
        line[path: "request"] = (try? RelaxedJSON.parse(request.body)).map(Self.withoutSecrets)
        line[path: "response"] = (try? JSONValue.parse(response.body)).map(Self.withoutSecrets)
        let bytes = line.utf8 + [UInt8(ascii: "\n")]
        // A record that cannot be written is no reason not to answer.
        file.withLock { try? $0.write(contentsOf: Data(bytes)) }
    }

    private static let secretNames: Set<String> = [
        "adminpassword", "password", "secret", "protectedsettings", "accesssas", "customdata", "userdata",
        "accesstoken",
        "securitydataaccesssas", "script",
    ]

    static func withoutSecrets(_ json: JSONValue) -> JSONValue {
        switch json {
        case .array(let items): .array(items.map(withoutSecrets))
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, value in
                        switch name.lowercased() {
                        case let lowered where secretNames.contains(lowered): (name, leftOut)
                        case "parameters": (name, withoutSecrets(parameters(value, declaredIn: json)))
                        default: (name, withoutSecrets(value))
                        }
                    }))
        default: json
        }
    }

    private static let leftOut = JSONValue.string("(left out)")

    /// Parameters of a deployment, without the values of those that its template calls secure.
    private static func parameters(_ given: JSONValue, declaredIn deployment: JSONValue) -> JSONValue {
        guard let declared = deployment[member: "template"]?[member: "parameters"], let members = given.object else {
            return given
        }
        return .object(
            Dictionary(
                uniqueKeysWithValues: members.map { name, value in
                    let type = declared[member: name]?[member: "type"]?.string?.lowercased() ?? ""
                    return (name, type.hasPrefix("secure") ? leftOut : value)
                }))
    }
}
