import AzureEmulator
import SalvorDigest
import SalvorJSON
import Testing

/// Roles, locks and policy.
@Suite struct AccessTests {
    static let guest = "55555555-5555-4555-8555-555555555555"
    private static let object = "66666666-6666-4666-8666-666666666666"
    private static let root = "/subscriptions/\(TestEmulator.subscription)"
    private static let authorization = "providers/Microsoft.Authorization"

    private let azure: TestEmulator

    init() async throws { azure = try await Self.emulator(role: nil) }

    /// With a second application, which has a role from the start, or none.
    private static func emulator(role: String?) async throws -> TestEmulator {
        let azure = try TestEmulator { configuration in
            configuration.applications.append(
                .init(
                    id: guest, objectID: object, secretSHA256: SHA256.digest(of: Array(TestEmulator.secret.utf8)),
                    role: role))
        }
        try await azure.makeGroup()
        return azure
    }

    private func asGuest(
        _ method: String, _ path: String, _ body: JSONValue? = nil, on azure: TestEmulator? = nil
    ) async throws -> TestEmulator.Reply {
        let azure = azure ?? self.azure
        let token = try await azure.token(Self.guest, for: "https://localhost:8443/")
        return try await azure(method, path, body, headers: ["authorization": "Bearer \(token)"])
    }

    private static let disk = "resourceGroups/rg/providers/Microsoft.Compute/disks/one"
    private static let diskBody: JSONValue = [
        "location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
    ]

    // MARK: Roles

    @Test(
        "A role allows what it names, and the rest is refused in Azure's words",
        arguments: [
            ("Owner", "PUT", 202), ("Contributor", "PUT", 202), ("Reader", "PUT", 403),
            ("Virtual Machine Contributor", "PUT", 202), ("Key Vault Secrets User", "PUT", 403), ("Owner", "GET", 404),
            ("Reader", "GET", 404), ("Key Vault Secrets User", "GET", 403), ("Reader", "DELETE", 403),
            ("Contributor", "DELETE", 204),
        ])
    func builtIn(role: String, method: String, status: Int) async throws {
        let azure = try await Self.emulator(role: role)
        let reply = try await asGuest(method, Self.disk, method == "PUT" ? Self.diskBody : nil, on: azure)
        #expect(reply.status == status, "\(reply.json)")
        guard status == 403 else { return }
        #expect(reply.code == "AuthorizationFailed")
        let action = method == "PUT" ? "write" : method == "GET" ? "read" : "delete"
        #expect(
            reply.json[path: "error.message"]?.string
                == "The client '\(Self.guest)' with object id '\(Self.object)' does not have authorization to perform action "
                + "'Microsoft.Compute/disks/\(action)' over scope '\(Self.root)/\(Self.disk)' or the scope is invalid. If "
                + "access was recently granted, please refresh your credentials.")
    }

    @Test("Contributors give no roles")
    func noEscalation() async throws {
        let azure = try await Self.emulator(role: "Contributor")
        let reply = try await asGuest("PUT", Self.assignment("rg"), Self.assigned("Owner"), on: azure)
        #expect(reply.code == "AuthorizationFailed")
    }

    private static func assignment(_ group: String?, _ number: Int = 1) -> String {
        (group.map { "resourceGroups/\($0)/" } ?? "")
            + "\(authorization)/roleAssignments/77777777-7777-4777-8777-00000000000\(number)"
    }

    private static func assigned(_ role: String) -> JSONValue {
        let ids = [
            "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        ]
        return [
            "properties": [
                "roleDefinitionId": .string("\(root)/\(authorization)/roleDefinitions/\(ids[role] ?? role)"),
                "principalId": .string(object), "principalType": "ServicePrincipal",
            ]
        ]
    }

    @Test("A role that is given holds from its scope downwards, until it is taken away")
    func assignments() async throws {
        try await azure.makeGroup("other")
        #expect(try await asGuest("GET", "resourceGroups").status == 403)
        #expect(try await asGuest("GET", "/subscriptions").json["value"]?.array == [])
        #expect(try await azure("PUT", Self.assignment("rg"), Self.assigned("Reader")).status == 201)
        #expect(try await asGuest("GET", "resourceGroups/rg").status == 200)
        #expect(try await asGuest("GET", "resourceGroups/other").code == "AuthorizationFailed")
        #expect(try await asGuest("GET", "/subscriptions").json["value"]?.array?.count == 1)
        #expect(try await asGuest("GET", "resourceGroups").json["value"]?.array?.map { $0["name"] } == ["rg"])
        #expect(try await asGuest("PUT", Self.disk, Self.diskBody).code == "AuthorizationFailed")
        #expect(try await azure("DELETE", Self.assignment("rg")).status == 200)
        #expect(try await asGuest("GET", "resourceGroups/rg").code == "AuthorizationFailed")
        #expect(try await azure("DELETE", Self.assignment("rg")).status == 204)
        #expect(try await azure("GET", Self.assignment("rg")).code == "RoleAssignmentNotFound")
    }

    @Test(
        "Assignments are found by who has them and where",
        arguments: [
            ("resourceGroups/rg/", "", 2), ("resourceGroups/rg/", "atScope()", 2), ("", "atScope()", 1), ("", "", 2),
            ("", "principalId eq '66666666-6666-4666-8666-666666666666'", 2),
            ("", "assignedTo('66666666-6666-4666-8666-666666666666')", 2),
            ("", "principalId eq '99999999-6666-4666-8666-666666666666'", 0),
        ])
    func assignmentLists(scope: String, filter: String, count: Int) async throws {
        #expect(try await azure("PUT", Self.assignment(nil, 1), Self.assigned("Reader")).status == 201)
        #expect(try await azure("PUT", Self.assignment("rg", 2), Self.assigned("Owner")).status == 201)
        let reply = try await azure("GET", "\(scope)\(Self.authorization)/roleAssignments", query: ["$filter": filter])
        #expect(reply.json["value"]?.array?.count == count, "\(reply.json)")
    }

    @Test("What cannot be assigned is refused")
    func badAssignments() async throws {
        func put(_ path: String, _ body: JSONValue) async throws -> String? { try await azure("PUT", path, body).code }
        #expect(
            try await put(Self.assignment("rg"), Self.assigned("99999999-7777-4777-8777-000000000001"))
                == "RoleDefinitionDoesNotExist")
        #expect(
            try await put("\(Self.authorization)/roleAssignments/x", Self.assigned("Reader"))
                == "InvalidRoleAssignmentId")
        #expect(try await put(Self.assignment("rg"), ["properties": [:]]) == "InvalidPrincipalId")
        #expect(try await put(Self.assignment("rg", 1), Self.assigned("Reader")) == nil)
        #expect(try await put(Self.assignment("rg", 1), Self.assigned("Reader")) == nil)
        #expect(try await put(Self.assignment("rg", 1), Self.assigned("Owner")) == "RoleAssignmentUpdateNotPermitted")
        #expect(try await put(Self.assignment("rg", 2), Self.assigned("Reader")) == "RoleAssignmentExists")
    }

    @Test("A role of one's own is given like Azure's, and kept while it is in use")
    func customRole() async throws {
        let name = "88888888-8888-4888-8888-888888888888"
        let path = "\(Self.authorization)/roleDefinitions/\(name)"
        let body: JSONValue = [
            "properties": [
                "roleName": "Disk maker", "assignableScopes": [.string(Self.root)],
                "permissions": [["actions": ["Microsoft.Compute/disks/*"], "notActions": ["*/delete"]]],
            ]
        ]
        #expect(try await azure("PUT", path, body).status == 201)
        #expect(try await azure("PUT", Self.assignment("rg"), Self.assigned(name)).status == 201)
        #expect(try await asGuest("PUT", Self.disk, Self.diskBody).status == 202)
        #expect(try await asGuest("DELETE", Self.disk).code == "AuthorizationFailed")
        #expect(try await azure("DELETE", path).code == "RoleDefinitionHasAssignments")
        let permissions = try await asGuest("GET", "resourceGroups/rg/\(Self.authorization)/permissions")
        #expect(permissions.json["value"]?.array?.first?["actions"] == ["Microsoft.Compute/disks/*"])
        let list = try await azure(
            "GET", "\(Self.authorization)/roleDefinitions", query: ["$filter": "roleName eq 'Disk maker'"])
        #expect(list.json["value"]?.array?.count == 1)
        let mine = try await azure("GET", "resourceGroups/rg/\(Self.authorization)/permissions")
        #expect(mine.json["value"]?.array?.first?["actions"] == ["*"])
    }

    @Test("What an operation does, it does in the name of whoever began it")
    func deployments() async throws {
        let name = "88888888-8888-4888-8888-888888888888"
        _ = try await azure(
            "PUT", "\(Self.authorization)/roleDefinitions/\(name)",
            [
                "properties": [
                    "roleName": "Deployer", "assignableScopes": [.string(Self.root)],
                    "permissions": [["actions": ["Microsoft.Resources/deployments/*"]]],
                ]
            ])
        _ = try await azure("PUT", Self.assignment("rg"), Self.assigned(name))
        let path = "resourceGroups/rg/providers/Microsoft.Resources/deployments/d"
        _ = try await asGuest("PUT", path, Self.deployment)
        for _ in 0..<5 { azure.pass(.seconds(60)) }
        let done = try await azure("GET", path)
        #expect(done.json[path: "properties.provisioningState"]?.string != "Succeeded", "\(done.json)")
        #expect(try await azure("GET", Self.disk).status == 404)
    }

    private static let deployment: JSONValue = [
        "properties": [
            "mode": "Incremental",
            "template": [
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0",
                "resources": [
                    [
                        "type": "Microsoft.Compute/disks", "apiVersion": "2024-03-02", "name": "one",
                        "location": "westeurope",
                        "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
                    ]
                ],
            ],
        ]
    ]

    // MARK: Locks

    @Test(
        "A lock holds on all that lies in its scope",
        arguments: [
            ("CanNotDelete", "", "DELETE", true), ("CanNotDelete", "resourceGroups/rg/", "DELETE", true),
            ("CanNotDelete", "\(disk)/", "DELETE", true), ("CanNotDelete", "resourceGroups/rg/", "PATCH", false),
            ("ReadOnly", "resourceGroups/rg/", "PATCH", true), ("ReadOnly", "resourceGroups/rg/", "PUT", true),
            ("ReadOnly", "resourceGroups/rg/", "DELETE", true), ("ReadOnly", "\(disk)/", "POST", true),
            ("ReadOnly", "resourceGroups/other/", "DELETE", false),
            ("CanNotDelete", "resourceGroups/rg/", "GET", false),
        ])
    func locks(level: String, scope: String, method: String, isRefused: Bool) async throws {
        try await azure.makeGroup("other")
        try await azure.makeDisk("one", sizeGB: 4)
        let lock = "\(scope)\(Self.authorization)/locks/keep"
        let made = try await azure("PUT", lock, ["properties": ["level": .string(level)]])
        #expect(made.status == 201, "\(made.json)")
        let path = method == "POST" ? "\(Self.disk)/beginGetAccess" : Self.disk
        let body: JSONValue? = method == "PUT" ? Self.diskBody : method == "GET" || method == "DELETE" ? nil : [:]
        let reply = try await azure(method, path, body)
        #expect((reply.status == 409) == isRefused, "\(reply.json)")
        guard isRefused else { return }
        #expect(reply.code == "ScopeLocked")
        let locked = "\(Self.root)/\(scope)".dropLast()
        #expect(reply.json[path: "error.message"]?.string?.contains("scope(s) are locked: '\(locked)'") == true)
        #expect(try await azure("DELETE", lock).status == 200)
        #expect(try await azure(method, path, body).code != "ScopeLocked")
    }

    @Test("A group with a locked resource in it stays whole")
    func lockedGroup() async throws {
        try await azure.makeDisk("one", sizeGB: 4)
        _ = try await azure(
            "PUT", "\(Self.disk)/\(Self.authorization)/locks/keep", ["properties": ["level": "CanNotDelete"]])
        #expect(try await azure("DELETE", "resourceGroups/rg").code == "ScopeLocked")
        #expect(try await azure("GET", Self.disk).status == 200)
    }

    @Test(
        "Locks are listed where they hold",
        arguments: [("", 2), ("resourceGroups/rg/", 2), ("resourceGroups/other/", 1)])
    func lockLists(scope: String, count: Int) async throws {
        try await azure.makeGroup("other")
        for scope in ["", "resourceGroups/rg/"] {
            _ = try await azure(
                "PUT", "\(scope)\(Self.authorization)/locks/keep", ["properties": ["level": "ReadOnly"]])
        }
        let reply = try await azure("GET", "\(scope)\(Self.authorization)/locks")
        #expect(reply.json["value"]?.array?.count == count)
        #expect(try await azure("GET", "\(scope)\(Self.authorization)/locks/none").code == "LockNotFound")
    }

    @Test("A lock of no known level, or on nothing, is none", arguments: ["", "Delete"])
    func badLocks(level: String) async throws {
        let body: JSONValue = ["properties": ["level": .string(level)]]
        #expect(try await azure("PUT", "\(Self.authorization)/locks/a", body).code == "LockLevelInvalid")
        let nothing = try await azure(
            "PUT", "\(Self.disk)/\(Self.authorization)/locks/a", ["properties": ["level": "ReadOnly"]])
        #expect(nothing.code == "ResourceNotFound")
    }
}
