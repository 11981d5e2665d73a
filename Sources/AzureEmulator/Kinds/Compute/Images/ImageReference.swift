internal import SalvorJSON

/// What a machine's `imageReference.id` leads to: an image, a version of a gallery's image, or the latest of them.
struct ImageReference {
    let osType: String
    let generation: String
    let sizeGB: Int64
    /// Whether its machines are made without an `osProfile`.
    let isSpecialized: Bool
    /// What has the bytes that the machine's OS disk begins with: it is a record with a content, as a disk is.
    let source: ResourceID

    /// - Throws: 404 `ImageNotFound`, 404 `GalleryImageNotFound`, 409 for one that is still being made.
    init(_ text: String, in state: EmulatorState) throws(ARMError) {
        let notFound = ARMError(
            404, "ImageNotFound", "The image '\(printable(text))' was not found.", target: "imageReference")
        guard let id = ResourceID(text) else { throw notFound }
        switch id.type.lowercased() {
        case "microsoft.compute/images":
            guard let record = state[id] else { throw notFound }
            try self.init(record, in: state)
        case "microsoft.compute/galleries/images/versions" where id.name.lowercased() != "latest":
            guard let record = state[id] else { throw Self.notFound(text) }
            try self.init(record, in: state)
        case "microsoft.compute/galleries/images", "microsoft.compute/galleries/images/versions":
            let definition = id.type.lowercased().hasSuffix("versions") ? id.parent : id
            let versions = (definition.map { state.children(of: $0, "versions") } ?? []).filter {
                $0.provisioningState == "Succeeded"
                    && $0.body[path: "properties.publishingProfile.excludeFromLatest"]?.bool != true
            }
            let latest = versions.max { GalleryVersions.number($0.id.name) < GalleryVersions.number($1.id.name) }
            guard let latest else { throw Self.notFound(text) }
            try self.init(latest, in: state)
        default: throw notFound
        }
    }

    init(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard record.provisioningState == "Succeeded" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "The image '\(record.id)' is in provisioning state '\(record.provisioningState)' and cannot be used.",
                target: "imageReference")
        }
        source = record.id
        osType = record.hidden["osType"]?.string ?? ""
        generation = record.hidden["generation"]?.string ?? "V1"
        sizeGB = record.hidden["sizeGB"]?.integer ?? 0
        isSpecialized = record.hidden["specialized"]?.bool ?? false
    }

    private static func notFound(_ text: String) -> ARMError {
        ARMError(
            404, "GalleryImageNotFound",
            "The gallery image \(printable(text)) is not available in the region, or it has no version. Please contact image "
                + "owner to replicate to this region, or change your requested region.", target: "imageReference")
    }
}
