internal import SystemPackage

/// Looks through a subscription for Windows machines that look broken. Two lists tell it of all, however many there are;
/// single machines are asked for only where the lists leave open what their extensions are.
package struct Discovery: Sendable {
    private let inventory: Inventory
    private let transport: any HTTPTransport

    /// - Parameters:
    ///   - group: nil for the whole subscription.
    ///   - transport: for boot diagnostics, which are not Resource Manager's.
    package init(_ client: ARMClient, transport: any HTTPTransport, subscription: String, group: String? = nil) {
        inventory = Inventory(client, subscription: subscription, group: group)
        self.transport = transport
    }

    /// - Returns: every Windows machine that the filter takes, by name.
    package func look(_ filter: DiscoveryFilter = DiscoveryFilter()) async throws(AzureError) -> [Suspicion] {
        let client = inventory.client
        let machines = try await inventory.machines().filter { $0.isWindows && filter.takes($0) }
        return try await machines.concurrentMap { (machine) async throws(AzureError) in
            let suspicion = Suspicion(machine)
            guard suspicion.verdict == .mayBeBroken, machine.extensions.contains(where: { $0.publisher == nil }),
                let json = try await client.find(machine.id.text, .compute, query: ["$expand": "instanceView"])
            else { return suspicion }
            return Suspicion(try BrokenVM(json))
        }
    }

    /// A machine's last screen and serial log, as files in a folder.
    package struct Screen: Hashable, Sendable {
        package var screenshot: String?
        package var consoleLog: String?
        /// What could not be had.
        package var remarks: [String]
    }

    /// Saves the screens of these machines, as `GROUP-NAME-screen.bmp`. One that cannot be had is said, and no error.
    package func saveScreens(of machines: [BrokenVM], in folder: String) async -> [ResourceID: Screen] {
        let client = inventory.client
        let screens = await machines.concurrentMap { [transport] machine in
            let diagnostics = BootDiagnostics(id: machine.id, arm: client, transport: transport)
            let log = FilePath(folder).appending("\(machine.resourceGroup)-\(machine.name).log")
            let saved = await diagnostics.save(beside: log)
            return (
                machine.id,
                Screen(
                    screenshot: saved.screenshot?.string, consoleLog: saved.consoleLog?.string,
                    remarks: saved.screenshot == nil ? saved.remarks : [])
            )
        }
        return Dictionary(screens) { first, _ in first }
    }
}
