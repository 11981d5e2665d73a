package import SalvorCoordinatorCore
import SalvorJSON
import SalvorSystem
import SystemPackage

extension AzureProvider {
    package func plan(for rescue: PlannedRescue) async throws(ProviderError) -> ProviderPlan {
        let arm = arm.within(.seconds(600))
        return try await providing { () throws(AzureError) in
            var ids: [ResourceID] = []
            for machine in rescue.machines {
                guard let id = ResourceID(machine.definition) else { continue }
                ids.append(id)
            }
            let machines = try await ids.concurrentMap { [inventory] (id) async throws(AzureError) in
                try await inventory.machine(id)
            }
            let uploads = try await uploads(for: rescue, arm)
            let calls = PlannedCalls(
                rescue: rescue, machines: machines, uploads: uploads, configuration: configuration)
            let times = RescueTimes(rescue: rescue, uploads: uploads.map(\.bytes).max() ?? 0)
            var remarks = [RescueTimes.basis, ListPrices.basis]
            if configuration.image == nil {
                remarks.insert(
                    "The rescue image has not been built: run salvor image build --format vhd before the rescue.",
                    at: 0)
            }
            return ProviderPlan(
                changes: calls.all, time: times.whole, costs: costs(rescue, machines, times, uploads), remarks: remarks)
        }
    }

    /// The images that are not where they are needed yet.
    private func uploads(
        for rescue: PlannedRescue, _ arm: ARMClient
    ) async throws(AzureError) -> [PlannedUpload] {
        guard case .vhd(let path, let digest)? = configuration.image else { return [] }
        var places: [Placement] = []
        for host in rescue.hosts {
            guard let place = host.first.map({ Placement($0.placement) }), !places.contains(place) else { continue }
            places.append(place)
        }
        let group = ResourceID.group(AzureNames.imageGroup, subscription: configuration.subscription)
        var uploads: [PlannedUpload] = []
        for place in places {
            let disk = group.appending(
                "Microsoft.Compute/disks", AzureNames.image(digest, location: place.location, zone: place.zone))
            let state = try await arm.find(disk.text, .disks)?["properties"]?["diskState"]?.string
            guard state?.lowercased() != "unattached" else { continue }
            uploads.append(PlannedUpload(disk: disk, isBegun: state != nil, bytes: try await size(ofImage: path)))
        }
        return uploads
    }

    private func size(ofImage path: String) async throws(AzureError) -> Int64 {
        do {
            return try await Blocking.run { () throws in try SparseReader(FilePath(path)).size }
        } catch {
            throw AzureError(
                .badSetting, "The rescue image \(path) cannot be read.",
                nextStep: "Build it again: salvor image build --format vhd.", cause: error)
        }
    }

    private func costs(
        _ rescue: PlannedRescue, _ machines: [BrokenVM], _ times: RescueTimes, _ uploads: [PlannedUpload]
    ) -> [ExpectedCost] {
        var hosts: [String: Int] = [:]
        for host in rescue.hosts {
            hosts[configuration.size ?? RescueSize.smallest(for: host.count).name, default: 0] += 1
        }
        let seconds = times.hostTime.mostSeconds
        var costs = hosts.sorted { $0.key < $1.key }.map { size, count in
            ExpectedCost(
                "\(count) rescue VM(s) \(size) for \((seconds + 59) / 60) minutes",
                dollars: ListPrices.machine(size, seconds: seconds).map { $0 * Double(count) }, per: .run)
        }
        var disks: [String: (count: Int, dollars: Double?)] = [:]
        for disk in machines.compactMap(\.disk) {
            let price = ListPrices.disk(sku: disk.sku, bytes: disk.sizeBytes, tier: disk.performanceTier)
            let name = price.map { "\($0.name) (\(disk.sku))" } ?? "\(disk.sku) of \(disk.sizeBytes >> 30) GiB"
            let before = disks[name]
            disks[name] = ((before?.count ?? 0) + 1, price.map { $0.perDay + (before?.dollars ?? 0) })
        }
        let until = rescue.command == .scan ? "until the scan ends" : "until salvor cleanup --originals"
        costs += disks.sorted { $0.key < $1.key }.map { name, sum in
            ExpectedCost("\(sum.count) more disk(s) \(name) \(until)", dollars: sum.dollars, per: .day)
        }
        for upload in uploads {
            costs.append(
                ExpectedCost(
                    "the rescue image \(upload.disk.name), kept for later runs",
                    dollars: ListPrices.disk(sku: "StandardSSD_LRS", bytes: upload.bytes)?.perDay, per: .day))
        }
        return costs
    }
}

/// A rescue image that is to be uploaded.
struct PlannedUpload: Sendable {
    var disk: ResourceID
    /// By another process, or one that has crashed.
    var isBegun: Bool
    var bytes: Int64
}
