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
        _ file: FilePath, to disk: ResourceID, _ place: Placement, digest: String, _ arm: ARMClient,
        mayRepeat: Bool = true
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
        let grant: JSONValue?
        do throws(AzureError) {
            grant = try await arm.post(
                "\(disk)/beginGetAccess", .disks, ["access": "Write", "durationInSeconds": 86_400])
        } catch {
            // Somebody has the address: another process, one that crashed, or a call of ours whose answer was lost.
            guard mayRepeat, error.code == .conflict, try await state(disk, arm) == "activeupload" else { throw error }
            try await awaitUpload(disk, arm)
            return try await upload(file, to: disk, place, digest: digest, arm, mayRepeat: false)
        }
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

    /// Waits for the upload of another process. One that does not end in some minutes has crashed, and with the address
    /// is lost what it has sent: Azure takes a revoked upload for a whole one, so that it has to go.
    private func awaitUpload(_ disk: ResourceID, _ arm: ARMClient) async throws(AzureError) {
        let end = arm.clock.monotonic() + configuration.uploadPatience
        progress("another process uploads the rescue image; waiting for it")
        while try await state(disk, arm) == "activeupload" {
            guard arm.clock.monotonic() < end else {
                // What is half sent is no image: Azure says so, and the right to write is gone all the same.
                do throws(AzureError) { try await arm.post("\(disk)/endGetAccess", .disks) } catch {
                    guard error.refusal != nil else { throw error }
                }
                return try await arm.delete("\(disk)", .disks)
            }
            try await arm.pause(.seconds(10), before: ARMCall("GET", disk.text, .disks))
        }
    }

    private func state(_ disk: ResourceID, _ arm: ARMClient) async throws(AzureError) -> String? {
        try await arm.find("\(disk)", .disks)?["properties"]?["diskState"]?.string?.lowercased()
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
