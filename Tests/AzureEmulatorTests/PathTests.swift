import Testing

@testable import AzureEmulator

@Suite struct PathTests {
    @Test(
        "An id is taken apart and put together again as it was written",
        arguments: [
            ("/subscriptions/S1", "Microsoft.Resources/subscriptions", "S1"),
            ("/subscriptions/s1/resourceGroups/Rg", "Microsoft.Resources/resourceGroups", "Rg"),
            (
                "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/disks/D-1", "Microsoft.Compute/disks",
                "D-1"
            ),
            (
                "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/default",
                "Microsoft.Network/virtualNetworks/subnets", "default"
            ),
        ])
    func ids(text: String, type: String, name: String) throws {
        let id = try #require(ResourceID(text))
        #expect(id.description == text)
        #expect(id.type == type)
        #expect(id.name == name)
        #expect(ResourceID(text.uppercased().replacing("/SUBSCRIPTIONS", with: "/subscriptions")) == id)
    }

    @Test(
        "What is no id is none",
        arguments: [
            "", "/", "subscriptions/s1", "/subscriptions", "/subscriptions/", "/subscriptions/s/resourceGroups",
            "/subscriptions/s/resourceGroups/", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute//d", "/subscriptions/s/elsewhere/g",
        ])
    func noIDs(text: String) {
        #expect(ResourceID(text) == nil)
    }

    @Test("Case does not matter in an address")
    func caseRules() throws {
        let path = try #require(
            ARMPath("/SUBSCRIPTIONS/s/RESOURCEgroups/Rg/PROVIDERS/microsoft.COMPUTE/DISKS/d", isType: { _ in false }))
        guard case .resource(let id) = path else { Issue.record("\(path)"); return }
        #expect(id.key == "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/disks/d")
    }

    @Test("A word after a resource is a kind of child where there is one, and else an action")
    func actionsAndChildren() throws {
        let text = "/subscriptions/s/resourceGroups/g/providers/N.S/things/t/parts"
        guard case .action(_, "parts") = ARMPath(text, isType: { _ in false }) else {
            Issue.record("no action"); return
        }
        guard case .collection(let scope, "N.S/things/parts") = ARMPath(text, isType: { $0 == "N.S/things/parts" })
        else {
            Issue.record("no collection")
            return
        }
        #expect(scope.name == "t")
    }

    @Test("A parent that is left empty is none")
    func emptyParent() throws {
        let text =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute//disks/d/providers/Microsoft.Authorization/locks/l"
        let plain = text.replacing("//", with: "/")
        #expect(ARMPath(text, isType: { _ in true }) == ARMPath(plain, isType: { _ in true }))
        #expect(ARMPath(plain, isType: { _ in true }) != nil)
    }

    @Test(
        "Any well-formed version is taken",
        arguments: ["2024-11-01", "2026-03-02", "2021-02-01-preview", "2021-02-01-rc.1"])
    func versions(text: String) throws {
        #expect(try APIVersion(text).text == text)
    }

    @Test(
        "A malformed version is refused",
        arguments: ["2024-11", "latest", "2024-11-1", "20241101", "2024-11-01-", "2024-11-01-a b", "2024-1a-01"])
    func badVersions(text: String) {
        let error = #expect(throws: ARMError.self) { try APIVersion(text) }
        #expect(error?.code == "InvalidApiVersionParameter")
    }

    @Test("A missing version is said to be missing")
    func noVersion() {
        let error = #expect(throws: ARMError.self) { try APIVersion(nil) }
        #expect(error?.code == "MissingApiVersionParameter")
    }

    @Test("Time reads as Azure writes it")
    func time() {
        #expect(EmulatorTime(milliseconds: 1_721_362_140_123).text == "2024-07-19T04:09:00.1230000+00:00")
        #expect(EmulatorTime(milliseconds: 951_782_400_000).text == "2000-02-29T00:00:00.0000000+00:00")
        #expect(EmulatorTime(milliseconds: 0).text == "1970-01-01T00:00:00.0000000+00:00")
    }
}
