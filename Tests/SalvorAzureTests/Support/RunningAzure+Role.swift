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
        try await assign(file, without: missing, number: 1, on: Self.root)
    }

    /// Gives it the actions of the role that reads keys, those on the vault's resource: the vault has access policies.
    func assignUnlockActions(on vault: String) async throws {
        try await assign("unlock-role.json", without: nil, number: 3, on: vault)
    }

    private func assign(_ file: String, without missing: String?, number: Int, on scope: String) async throws {
        let role = try Self.role(file)
        let actions = try #require(role["Actions"]?.array).filter { $0.string != missing }
        let definition =
            "providers/Microsoft.Authorization/roleDefinitions/77777777-7777-4777-8777-00000000000\(number)"
        try await make(
            definition,
            [
                "properties": [
                    "roleName": role["Name"] ?? .null, "assignableScopes": [.string(Self.root)],
                    "permissions": [
                        ["actions": .array(actions), "notActions": [], "dataActions": role["DataActions"] ?? []]
                    ],
                ]
            ])
        try await make(
            "\(scope)/providers/Microsoft.Authorization/roleAssignments/77777777-7777-4777-8777-00000000000\(number + 1)",
            [
                "properties": [
                    "principalId": .string(Self.guestObject), "principalType": "ServicePrincipal",
                    "roleDefinitionId": .string("\(Self.root)/\(definition)"),
                ]
            ])
    }
}
