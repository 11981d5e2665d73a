import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON

extension TroubledCall {
    private static let other = CopyName(run: "20240719-060000-wxyz", machine: "web/vm1")
    private static let otherDisks: @Sendable (TroubledGround) async throws -> [ProviderResource] = { here in
        try await here.ground.provider().resources(ofRun: other.run)
    }

    static let disks: [TroubledCall] = [
        TroubledCall(
            "the copy's PUT", "PUT", "/disks/vm1-os-salvor-", verb: "create", subject: "vm1-os-salvor-",
            operate: { provider, here in _ = try await provider.copyDisk(of: here.machine, to: other) },
            isDone: { here in try await otherDisks(here).count == 1 },
            undo: { provider, _ in try await provider.deleteCopy(named: other) }),
        TroubledCall(
            "the copy's DELETE", "DELETE", "/disks/vm1-os-salvor-", verb: "delete", subject: "vm1-os-salvor-",
            prepare: { here in _ = try await here.ground.provider().copyDisk(of: here.machine, to: other) },
            operate: { provider, _ in try await provider.deleteCopy(named: other) },
            isDone: { here in try await otherDisks(here).isEmpty }),
        TroubledCall(
            "the attach", "POST", "/vm2/attachDetachDataDisks", verb: "attachdetach", subject: "vm2",
            operate: { provider, here in _ = try await provider.attach(here.copy, to: here.host) },
            isDone: { here in try await here.hostsDisks() == [here.copy.disk.identifier.lowercased()] },
            undo: { provider, here in try await provider.detach(here.copy, from: here.host) }),
        TroubledCall(
            "the detach", "POST", "/vm2/attachDetachDataDisks", verb: "attachdetach", subject: "vm2",
            prepare: { here in _ = try await here.ground.provider().attach(here.copy, to: here.host) },
            operate: { provider, here in try await provider.detach(here.copy, from: here.host) },
            isDone: { here in try await here.hostsDisks().isEmpty }),
    ]

    static let machines: [TroubledCall] = [
        TroubledCall(
            "the power-off", "POST", "/vm1/powerOff", verb: "poweroff", subject: "vm1",
            prepare: { here in try await here.start() },
            operate: { provider, here in try await provider.stop(here.machine) },
            isDone: { here in try await here.ground.power(of: "vm1") == "PowerState/stopped" }),
        TroubledCall(
            "the deallocation", "POST", "/vm1/deallocate", verb: "deallocate", subject: "vm1",
            prepare: { here in try await here.start() },
            operate: { _, here in try await here.deallocating().stop(here.machine) },
            isDone: { here in try await here.ground.power(of: "vm1") == "PowerState/deallocated" }),
        TroubledCall(
            "the swap", "PATCH", "/virtualMachines/vm1", verb: "update", subject: "vm1",
            prepare: { here in try await here.ground.provider().stop(here.machine) },
            operate: { provider, here in _ = try await provider.swap(here.machine, to: here.copy) },
            isDone: { here in try await here.hasCopy() },
            undo: { provider, here in try await provider.swapBack(here.swap) }),
        TroubledCall(
            "the swap back", "PATCH", "/virtualMachines/vm1", verb: "update", subject: "vm1",
            prepare: { here in
                try await here.ground.provider().stop(here.machine)
                _ = try await here.ground.provider().swap(here.machine, to: here.copy)
            },
            operate: { provider, here in try await provider.swapBack(here.swap) },
            isDone: { here in try await !here.hasCopy() }),
        TroubledCall(
            "the start", "POST", "/vm1/start", verb: "start", subject: "vm1",
            prepare: { here in try await here.ground.provider().stop(here.machine) },
            operate: { provider, here in
                _ = try await provider.startAndProveBoot(here.machine, consoleLog: "\(here.azure.folder)/boot/log")
            },
            isDone: { here in try await here.ground.power(of: "vm1") == "PowerState/running" }),
        TroubledCall(
            "the look at a machine", "GET", "/virtualMachines/vm1", subject: "vm1", changes: false,
            operate: { provider, _ in _ = try await provider.machine(named: "web/vm1") }, isDone: { _ in true }),
        TroubledCall(
            "the list of machines", "GET", "/providers/Microsoft.Compute/virtualMachines?",
            subject: "virtualMachines", times: 2, changes: false,
            operate: { provider, _ in _ = try await provider.machines() }, isDone: { _ in true }),
    ]

    static let images: [TroubledCall] = [
        TroubledCall(
            "the image group's PUT", "PUT", "/resourceGroups/salvor-images?", subject: "salvor-images",
            operate: upload, isDone: hasImage, undo: deleteImage),
        TroubledCall(
            "the image's PUT", "PUT", "/disks/salvor-rescue-", verb: "create", subject: "salvor-rescue-",
            operate: upload, isDone: hasImage, undo: deleteImage),
        TroubledCall(
            "the image's grant", "POST", "/beginGetAccess", verb: "grant", subject: "salvor-rescue-",
            operate: upload, isDone: hasImage, undo: deleteImage),
        TroubledCall(
            "the image's revocation", "POST", "/endGetAccess", verb: "revoke", subject: "salvor-rescue-",
            operate: upload, isDone: hasImage, undo: deleteImage),
    ]

    static let upload: @Sendable (AzureProvider, TroubledGround) async throws -> Void = { provider, _ in
        try await provider.uploadRescueImage(to: "westeurope")
    }
    static let hasImage: @Sendable (TroubledGround) async throws -> Bool = { here in
        let images = try await here.images()
        return images.count == 1 && images[0]["properties"]?["diskState"] == "Unattached"
    }
    static let deleteImage: @Sendable (AzureProvider, TroubledGround) async throws -> Void = { _, here in
        for image in try await here.images() {
            try await here.ground.remove(image["id"]?.string ?? "")
        }
    }

    static let hosts: [TroubledCall] = [
        TroubledCall(
            "the rescue VM's deployment", "PUT", "/deployments/salvor-20240719-060000-host-1", verb: "put",
            subject: "deployments/salvor-",
            operate: { provider, here in _ = try await provider.createHost(here.specification) },
            isDone: { here in
                try await here.isThere(
                    "\(here.rescueGroup)/providers/Microsoft.Compute/virtualMachines/salvor-rescue-1")
            },
            undo: { provider, here in try await provider.deleteHost(named: here.specification.name) }),
        TroubledCall(
            "the rescue group's DELETE", "DELETE", "/resourceGroups/salvor-20240719-060000-host", verb: "delete",
            subject: "salvor-20240719-060000-host", prepare: { here in try await here.makeRescueGroup() },
            operate: { provider, here in try await provider.deleteHost(named: here.specification.name) },
            isDone: { here in try await !here.isThere(here.rescueGroup) }),
        TroubledCall(
            "the beginning of the rescue group's end", "DELETE", "/resourceGroups/salvor-20240719-060000-host",
            subject: "salvor-20240719-060000-host", prepare: { here in try await here.makeRescueGroup() },
            operate: { provider, here in
                try await provider.retireHost(named: here.specification.name)
            },
            isDone: { here in
                // Begun: it is gone, or going.
                let group = try await here.azure("GET", here.rescueGroup)
                return group.status == 404 || group.json["properties"]?["provisioningState"] == "Deleting"
            },
            undo: { provider, here in try await provider.deleteHost(named: here.specification.name) }),
    ]
}

extension TroubledGround {
    var swap: Swap { Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk) }
    var rescueGroup: String { "resourceGroups/salvor-20240719-060000-host-westeurope" }

    var specification: HostSpecification {
        HostSpecification(
            name: HostName(run: "20240719-060000-host", number: 1), coordinatorPort: 7443,
            route: HostRoute(coordinator: "10.1.0.4:7443"), bootstrap: Array("hush-hush".utf8), machines: [machine])
    }

    /// A provider that gives machines' places back.
    func deallocating() throws -> AzureProvider {
        var configuration = ground.configuration
        configuration.stopStyle = .deallocate
        return try AzureProvider(arm: ground.arm, transport: azure.connections, configuration: configuration)
    }

    func makeRescueGroup() async throws {
        try await azure.make(
            rescueGroup, ["location": "westeurope", "tags": ["salvor-run": "20240719-060000-host"]])
    }

    func start() async throws {
        _ = try await ground.provider().startAndProveBoot(machine, consoleLog: "\(azure.folder)/boot/log")
    }
}
