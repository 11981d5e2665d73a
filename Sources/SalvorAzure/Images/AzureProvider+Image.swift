package import SalvorCoordinatorCore
import SalvorDigest
import SalvorJSON
import SystemPackage

extension AzureProvider {
    /// The rescue image as a disk of that region and zone: found there, or uploaded once and kept for later runs.
    ///
    /// A disk of the zone itself, because a copy stays in its source's zone.
    func rescueImage(for place: Placement, _ arm: ARMClient) async throws(AzureError) -> ResourceID {
        guard case .vhd(let path, let digest)? = configuration.image else {
            throw AzureError(
                .badSetting, "The rescue image has not been built.", nextStep: "Run `salvor image build --format vhd`.")
        }
        let group = ResourceID.group(AzureNames.imageGroup, subscription: configuration.subscription)
        let disk = group.appending(
            "Microsoft.Compute/disks", AzureNames.image(digest, location: place.location, zone: place.zone))
        return try await images.value(disk) { [self] () async throws(AzureError) in
            try await upload(FilePath(path), to: disk, place, digest: digest.hex, arm)
            return disk
        }
    }

    /// Uploads the rescue image ahead of a run: `REGION` or `REGION/ZONE`.
    package func uploadRescueImage(to placement: String) async throws(ProviderError) {
        let arm = arm.within(.seconds(3600))
        try await providing { () throws(AzureError) in _ = try await rescueImage(for: Placement(placement), arm) }
    }

    private func upload(
        _ file: FilePath, to disk: ResourceID, _ place: Placement, digest: String, _ arm: ARMClient
    ) async throws(AzureError) {
        let found = try await arm.find("\(disk)", .disks)
        switch found?["properties"]?["diskState"]?.string?.lowercased() {
        // Whole: the state that a disk has after its upload was ended well.
        case "unattached"?: return
        case nil: try await makeUpload(disk, place, file, digest, arm)
        case "readytoupload"?, "activeupload"?: break
        case let state?:
            throw AzureError(
                .conflict, "The rescue image \(disk) is in the state \(state).",
                nextStep: "Delete that disk: the next run uploads it again.")
        }
        let grant = try await arm.post(
            "\(disk)/beginGetAccess", .disks, ["access": "Write", "durationInSeconds": 86_400])
        guard let address = grant?["accessSAS"]?.string ?? grant?["properties"]?["output"]?["accessSAS"]?.string else {
            throw AzureError(
                .badAnswer, "Azure gave no address to upload \(disk.name) to.", nextStep: "Repeat the command.")
        }
        let progress = progress
        try await PageBlobUpload(file: file, address: address, transport: transport, clock: arm.clock) { sent, total in
            progress("uploading the rescue image to \(place.text): \(sent >> 20) of \(total >> 20) MiB")
        }.run()
        try await arm.post("\(disk)/endGetAccess", .disks)
        let state = try await arm.get("\(disk)", .disks)["properties"]?["diskState"]?.string ?? ""
        guard state.lowercased() == "unattached" else {
            throw AzureError(
                .operationFailed, "After its upload the rescue image \(disk) is in the state \(state).",
                nextStep: "Delete that disk: the next run uploads it again.")
        }
    }

    private func makeUpload(
        _ disk: ResourceID, _ place: Placement, _ file: FilePath, _ digest: String, _ arm: ARMClient
    ) async throws(AzureError) {
        let size: Int64
        do { size = try SparseReader(file).size } catch {
            throw AzureError(
                .badSetting, "The rescue image \(file) cannot be read.",
                nextStep: "Build it again: salvor image build --format vhd.", cause: error)
        }
        let tags: JSONValue = .object(
            configuration.tags.mapValues { .string($0) }.merging([AzureNames.imageTag: .string(digest)]) { $1 })
        _ = try await arm.put(
            "\(disk.group)", .resources, ["location": .string(place.location), "tags": tags])
        var body: [String: JSONValue] = [
            "location": .string(place.location), "tags": tags, "sku": ["name": "StandardSSD_LRS"],
            "properties": [
                "osType": "Linux", "hyperVGeneration": "V2",
                "creationData": ["createOption": "Upload", "uploadSizeBytes": .integer(size)],
            ],
        ]
        if let zone = place.zone { body["zones"] = [.string(zone)] }
        _ = try await arm.put("\(disk)", .disks, .object(body))
    }
}
