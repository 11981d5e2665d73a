import SalvorCoordinatorCore
import SalvorJSON
import Testing

@testable import SalvorAzure

/// What is found of the machine itself, whatever Azure is like around it.
@Suite struct MachineFindingTests {
    private static let group = "/subscriptions/s/resourceGroups/rg"

    /// A broken machine that can be rescued, before a change.
    private static func machine(
        _ change: (inout BrokenVM) -> Void = { _ in }, disk: (inout ManagedDisk) -> Void = { _ in }
    ) throws -> BrokenVM {
        let compute = "\(group)/providers/Microsoft.Compute"
        var machine = try BrokenVM([
            "id": .string("\(compute)/virtualMachines/vm"), "location": "westeurope",
            "properties": [
                "provisioningState": "Succeeded",
                "storageProfile": [
                    "osDisk": ["osType": "Windows", "managedDisk": ["id": .string("\(compute)/disks/os")]]
                ],
                "instanceView": [
                    "hyperVGeneration": "V2",
                    "statuses": [["code": "PowerState/running", "level": "Info"]],
                    "vmAgent": ["statuses": [["displayStatus": "Not Ready"]]],
                ],
            ],
        ])
        var managed = try ManagedDisk([
            "id": .string("\(compute)/disks/os"), "managedBy": .string(machine.id.text), "sku": ["name": "Premium_LRS"],
            "properties": ["hyperVGeneration": "V2", "diskState": "Attached", "provisioningState": "Succeeded"],
        ])
        disk(&managed)
        machine.disk = managed
        change(&machine)
        return machine
    }

    /// Finds without Azure: whatever asks it fails the test.
    private static func findings(
        _ check: any PreflightCheck, _ machine: BrokenVM, _ settings: RescueSettings = RescueSettings()
    ) async throws -> [Finding] {
        let client = ARMClient(endpoint: "https://azure", transport: NoAzure(), tokens: FixedToken(secret: "none"))
        return try await check.findings(
            PreflightSubject(machine: machine, settings: settings, facts: PreflightFacts(client: client)))
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        var words: String
        var forbids: Bool
        var machine: BrokenVM
        var settings = RescueSettings()

        var testDescription: String { words }
    }

    private static func disk(_ words: String, _ forbids: Bool, _ change: (inout ManagedDisk) -> Void) throws -> Case {
        Case(words: words, forbids: forbids, machine: try machine(disk: change))
    }

    private static func vm(_ words: String, _ forbids: Bool, _ change: (inout BrokenVM) -> Void) throws -> Case {
        Case(words: words, forbids: forbids, machine: try machine(change))
    }

    private static func run(_ check: any PreflightCheck, _ cases: [Case]) async throws {
        #expect(try await findings(check, machine()) == [])
        for one in cases {
            let found = try await findings(check, one.machine, one.settings)
            #expect(found.map(\.forbids) == [one.forbids], "\(one.words): \(found)")
            #expect(found.first?.text.contains(one.words) == true, "\(one.words): \(found)")
            if one.forbids { #expect(found.first?.nextStep.isEmpty == false, "\(found)") }
        }
    }

    @Test("Every state of an OS disk that a rescue cannot do with is refused by name")
    func disks() async throws {
        let other = ResourceID("\(Self.group)/providers/Microsoft.Compute/virtualMachines/other")
        try await Self.run(
            OSDiskCheck(),
            [
                Self.vm("ephemeral", true) { $0.osDisk.isEphemeral = true },
                Self.vm("the blob https://a/vhds/os.vhd", true) { $0.osDisk.blob = "https://a/vhds/os.vhd" },
                Self.vm("is not there", true) { $0.disk = nil },
                Self.disk("belongs to", true) { $0.owner = other },
                Self.disk("used by other", true) { $0.owners = [other].compactMap { $0 } },
                Self.disk("shared by 3", false) { $0.maxShares = 3 },
                Self.disk("az disk revoke-access", true) { $0.state = "ActiveSAS" },
                Self.disk("az disk revoke-access", true) { $0.state = "ActiveSASFrozen" },
                Self.disk("hibernated", true) { $0.state = "Frozen" },
                Self.disk("ActiveUpload", true) { $0.state = "ActiveUpload" },
                Self.disk("being changed: Updating", true) { $0.provisioningState = "Updating" },
                Self.disk("still being filled: 12 %", false) { $0.completionPercent = 12.5 },
                Self.disk("only when all their bytes", false) { $0.sku = "PremiumV2_LRS" },
            ])
    }

    @Test("Security types that bind a disk to its machine are refused, and generations that differ")
    func security() async throws {
        try await Self.run(
            SecurityCheck(),
            [
                Self.vm("confidential", true) { $0.securityType = .confidential },
                Self.disk("inside of that very machine", true) {
                    $0.security = DiskSecurity(type: "ConfidentialVM_DiskEncryptedWithPlatformKey")
                },
                Self.disk("no machine that is not confidential", true) {
                    $0.security = DiskSecurity(type: "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey")
                },
                Self.disk("of generation V2, and its OS disk says V1", true) { $0.generation = "V1" },
                Self.vm("is of security type TrustedLaunch, and its OS disk of Standard", false) {
                    $0.securityType = .trustedLaunch
                },
            ])
        let trusted = try Self.machine {
            $0.securityType = .trustedLaunch
        } disk: {
            $0.security = DiskSecurity(type: "TrustedLaunch")
        }
        #expect(try await Self.findings(SecurityCheck(), trusted) == [])
    }

    @Test("Encryption inside of the guest is refused where no key will be had, and always the older way")
    func encryption() async throws {
        let settings: JSONValue = [
            "enabled": true, "encryptionSettingsVersion": "1.1",
            "encryptionSettings": [
                [
                    "diskEncryptionKey": [
                        "secretUrl": "https://kv/secrets/s/1",
                        "sourceVault": ["id": .string("\(Self.group)/providers/Microsoft.KeyVault/vaults/kv")],
                    ]
                ]
            ],
        ]
        var older = settings
        if case .object(var members) = older {
            members["encryptionSettingsVersion"] = "1.0"
            older = .object(members)
        }
        let encrypted = try Self.machine(disk: { $0.encryption = GuestEncryption(disk: settings) })
        try await Self.run(
            EncryptionCheck(),
            [
                Case(words: "it was not said where its key comes from", forbids: true, machine: encrypted),
                Case(words: "read from the key vault kv", forbids: true, machine: encrypted),
                Case(
                    words: "keys that are given", forbids: false, machine: encrypted,
                    settings: RescueSettings(hasOtherKeys: true)),
                Self.disk("the older way", true) { $0.encryption = GuestEncryption(disk: older) },
                Self.vm("the older way", true) {
                    $0.osDisk.encryption = GuestEncryption(machine: ["enabled": true, "diskEncryptionKey": [:]])
                },
                Self.vm("data disks may be encrypted", false) {
                    $0.extensions = [VMExtension(name: "AzureDiskEncryption")]
                },
            ])
    }

    @Test("A machine to which something is being done is left to it")
    func states() async throws {
        func check(_ change: (inout BrokenVM) -> Void) async throws -> [Finding] {
            let azure = AnsweringAzure(["properties": ["provisioningState": "Succeeded"]])
            let client = ARMClient(endpoint: "https://azure", transport: azure, tokens: FixedToken(secret: "none"))
            return try await MachineCheck().findings(
                PreflightSubject(
                    machine: try Self.machine(change), settings: RescueSettings(), facts: PreflightFacts(client: client)
                ))
        }
        #expect(try await check { _ in } == [])
        let table: [(String, Bool, @Sendable (inout BrokenVM) -> Void)] = [
            ("not Windows", true, { $0.osDisk.osType = "Linux" }),
            ("no known system", true, { $0.osDisk.osType = nil }),
            ("scale set flex", false, { $0.scaleSet = ResourceID("/subscriptions/s/flex") }),
            ("deleted together", false, { $0.osDisk.deleteOption = "Delete" }),
            ("shows it as Updating", true, { $0.provisioningState = "Updating" }),
            ("being deleted", true, { $0.provisioningState = "Deleting" }),
            (
                "as Failed: why", false,
                { machine in
                    machine.provisioningState = "Failed"
                    machine.view.failures = ["why"]
                }
            ),
            ("is starting", true, { $0.view.power = .starting }),
            ("is deallocating", true, { $0.view.power = .deallocating }),
            ("may not be broken", false, { $0.view.agent?.status = "Ready" }),
            ("does not say", false, { $0.view.power = .unknown }),
        ]
        for (words, forbids, change) in table {
            let found = try await check(change)
            #expect(found.map(\.forbids) == [forbids], "\(words): \(found)")
            #expect(found.first?.text.contains(words) == true, "\(words): \(found)")
        }
        for power in [InstanceView.Power.stopped, .deallocated] {
            #expect(try await check { $0.view.power = power } == [])
        }
    }

    @Test("A group that is being deleted is no place for a rescue")
    func deletedGroup() async throws {
        let azure = AnsweringAzure(["properties": ["provisioningState": "Deleting"]])
        let client = ARMClient(endpoint: "https://azure", transport: azure, tokens: FixedToken(secret: "none"))
        let found = try await MachineCheck().findings(
            PreflightSubject(
                machine: try Self.machine(), settings: RescueSettings(), facts: PreflightFacts(client: client)))
        #expect(found.map(\.weight) == [.forbids(.conflict)])
    }
}

/// Nothing is to be asked.
private struct NoAzure: HTTPTransport {
    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        throw AzureError(.failed, "Asked for \(request.url).", nextStep: "")
    }
}

/// Answers everything alike.
private struct AnsweringAzure: HTTPTransport {
    let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        HTTPResponse(status: 200, body: json.utf8)
    }
}
