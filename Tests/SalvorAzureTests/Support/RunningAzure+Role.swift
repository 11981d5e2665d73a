import Foundation
import SalvorJSON
import Testing

extension RunningAzure {
    /// One of the roles in Coordinator/azure.
    static func role(_ file: String) throws -> JSONValue {
        let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../../Coordinator/azure").standardized
        return try JSONValue.parse(try Data(contentsOf: folder.appending(path: file)))
    }

    /// Gives the second application a role of Coordinator/azure, on the subscription.
    /// - Parameter missing: an action that it is not to have.
    func assignRescueRole(_ file: String = "role.json", without missing: String? = nil) async throws {
        let actions = try #require(try Self.role(file)["Actions"]?.array).filter { $0.string != missing }
        let definition = "providers/Microsoft.Authorization/roleDefinitions/77777777-7777-4777-8777-000000000001"
        try await make(
            definition,
            [
                "properties": [
                    "roleName": "Salvor Rescue", "assignableScopes": [.string(Self.root)],
                    "permissions": [["actions": .array(actions), "notActions": []]],
                ]
            ])
        try await make(
            "providers/Microsoft.Authorization/roleAssignments/77777777-7777-4777-8777-000000000002",
            [
                "properties": [
                    "principalId": .string(Self.guestObject), "principalType": "ServicePrincipal",
                    "roleDefinitionId": .string("\(Self.root)/\(definition)"),
                ]
            ])
    }
}
