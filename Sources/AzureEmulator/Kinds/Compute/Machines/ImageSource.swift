internal import SalvorJSON

/// What an `imageReference` leads to: an image of one's own or of a gallery, or one of the marketplace.
struct ImageSource {
    let osType: String
    let generation: String
    let sizeGB: Int64
    /// Whose bytes the disk begins with; nil for images of the marketplace, which have none here.
    let source: ResourceID?
    let creationData: JSONValue

    /// - Throws: `PlatformImageNotFound`, `ImageNotFound`, `GalleryImageNotFound`.
    init(_ reference: JSONValue, in state: EmulatorState) throws(ARMError) {
        if let text = reference[member: "id"]?.string {
            let image = try ImageReference(text, in: state)
            osType = image.osType
            generation = image.generation
            sizeGB = image.sizeGB
            source = image.source
            creationData = ["createOption": "FromImage", "imageReference": ["id": .string(image.source.description)]]
            return
        }
        func part(_ name: String) -> String { reference[member: name]?.string ?? "" }
        let found = ComputeCatalog.images.first {
            $0.publisher.lowercased() == part("publisher").lowercased()
                && $0.offer.lowercased() == part("offer").lowercased()
                && $0.sku.lowercased() == part("sku").lowercased()
                && ["latest", $0.version].contains(part("version").lowercased())
        }
        guard let found else {
            let name = ["publisher", "offer", "sku", "version"].map { part($0) }.joined(separator: ":")
            throw ARMError(
                404, "PlatformImageNotFound",
                "The platform image '\(printable(name))' is not available. Verify that all fields in the storage profile are "
                    + "correct.", target: "imageReference")
        }
        osType = found.system
        generation = found.generation
        sizeGB = found.system == "Windows" ? 127 : 30
        source = nil
        creationData = ["createOption": "FromImage"]
    }
}
