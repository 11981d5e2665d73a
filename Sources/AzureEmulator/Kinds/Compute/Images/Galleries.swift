internal import SalvorJSON

/// Galleries of images.
struct Galleries: ComputeResource {
    let type = "Microsoft.Compute/galleries"

    var nameRule: (longest: Int, others: String) { (80, "_.") }

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        let unique = "\(record.id.subscription)-\(record.id.name.uppercased())"
        record.body[path: "properties.identifier"] = ["uniqueName": .string(unique)]
        return [:]
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let children = state.children(of: record.id, "images")
        guard children.isEmpty else { throw .hasChildren(children) }
    }
}

/// What images of a gallery are: their system, generation, and whether their machines are told who they are.
struct GalleryImages: ComputeResource {
    let type = "Microsoft.Compute/galleries/images"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        for name in ["osType", "osState", "identifier.publisher", "identifier.offer", "identifier.sku"]
        where record.body[path: "properties.\(name)"]?.string == nil {
            throw .requiredParameter("galleryImage.properties.\(name)")
        }
        if record.body[path: "properties.hyperVGeneration"] == nil {
            record.body[path: "properties.hyperVGeneration"] = known?.body[path: "properties.hyperVGeneration"] ?? "V1"
        }
        if record.body[path: "properties.architecture"] == nil { record.body[path: "properties.architecture"] = "x64" }
        if let known {
            for name in ["osType", "osState", "hyperVGeneration", "identifier"]
            where record.body[path: "properties.\(name)"] != known.body[path: "properties.\(name)"] {
                throw .changed("galleryImage.properties.\(name)")
            }
        }
        let identifier = record.body[path: "properties.identifier"]
        let siblings = record.id.parent.map { state.children(of: $0, "images") } ?? []
        let twin = siblings.first { $0.id != record.id && $0.body[path: "properties.identifier"] == identifier }
        if let twin {
            throw ARMError(
                409, "Conflict",
                "The gallery image '\(twin.id.name)' has the same publisher, offer and sku already.",
                target: "identifier")
        }
        return [:]
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let children = state.children(of: record.id, "versions")
        guard children.isEmpty else { throw .hasChildren(children) }
    }
}

/// Versions of a gallery's image, which have the bytes.
struct GalleryVersions: ComputeResource {
    let type = "Microsoft.Compute/galleries/images/versions"

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        try DiskBytes.checkUnread(record, in: state)
    }

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        guard Self.number(record.id.name).count == 3 else {
            throw ARMError(
                400, "InvalidParameter",
                "Gallery image version name '\(printable(record.id.name))' is invalid. A valid name is of the format "
                    + "'Major.Minor.Patch', each a number of up to 2147483647.", target: "galleryImageVersionName")
        }
        completeProfile(&record, call)
        if let known {
            record.body[path: "properties.storageProfile"] = known.body[path: "properties.storageProfile"]
            return [:]
        }
        let profile = record.body[path: "properties.storageProfile"] ?? [:]
        let text =
            profile[path: "osDiskImage.source.id"]?.string ?? profile[path: "source.id"]?.string
            ?? profile[path: "source.virtualMachineId"]?.string
        guard let text else { throw .requiredParameter("galleryImageVersion.properties.storageProfile.source") }
        let definition = try state.require(record.id.parent ?? record.id)
        let source = try ImageSourceDisk(
            text, by: record.id, location: record.body["location"]?.string ?? "", in: state)
        for (name, value) in [("osType", source.osType), ("hyperVGeneration", source.generation)] {
            let wanted = definition.body[path: "properties.\(name)"]?.string ?? ""
            guard value.isEmpty || value.lowercased() == wanted.lowercased() else {
                throw ARMError(
                    409, "OperationNotAllowed",
                    "The \(name) '\(value)' of the source does not match the \(name) '\(wanted)' of the gallery image "
                        + "'\(definition.id.name)'.", target: "storageProfile")
            }
        }
        let isMachine = (ResourceID(text)?.type.lowercased() ?? "").hasSuffix("virtualmachines")
        let isDefinitionSpecialized = definition.body[path: "properties.osState"]?.string == "Specialized"
        if isMachine, source.isSpecialized != isDefinitionSpecialized {
            throw ARMError(
                409, "OperationNotAllowed",
                "The state of the source VM does not match the osState of the gallery image '\(definition.id.name)'.")
        }
        var shown = profile
        shown[path: "osDiskImage.sizeInGB"] = .integer(source.sizeGB)
        if shown[path: "osDiskImage.hostCaching"] == nil { shown[path: "osDiskImage.hostCaching"] = "ReadWrite" }
        record.body[path: "properties.storageProfile"] = shown
        record.body[path: "properties.safetyProfile.reportedForPolicyViolation"] = false
        let input = ImageBytes.prepare(&record, source, call)
        record.hidden[path: "osType"] = definition.body[path: "properties.osType"]
        record.hidden[path: "generation"] = definition.body[path: "properties.hyperVGeneration"]
        record.hidden[path: "specialized"] = .bool(isDefinitionSpecialized)
        return input
    }

    private func completeProfile(_ record: inout Record, _ call: ResourceCall) {
        let path = "properties.publishingProfile"
        let location = record.body["location"]?.string ?? ""
        func regionName(_ name: String) -> String {
            Locations.all.first { $0.name == Locations.plain(name) }?.displayName ?? name
        }
        let count = record.body[path: "\(path).replicaCount"]?.integer ?? 1
        var regions = record.body[path: "\(path).targetRegions"]?.array ?? []
        if regions.isEmpty { regions = [["name": .string(location)]] }
        record.body[path: "\(path).targetRegions"] = .array(
            regions.map { region in
                var region = region
                region[path: "name"] = .string(regionName(region[member: "name"]?.string ?? location))
                if region["regionalReplicaCount"] == nil { region[path: "regionalReplicaCount"] = .integer(count) }
                if region["storageAccountType"] == nil { region[path: "storageAccountType"] = "Standard_LRS" }
                return region
            })
        record.body[path: "\(path).replicaCount"] = .integer(count)
        if record.body[path: "\(path).excludeFromLatest"] == nil {
            record.body[path: "\(path).excludeFromLatest"] = false
        }
        if record.body[path: "\(path).storageAccountType"] == nil {
            record.body[path: "\(path).storageAccountType"] = "Standard_LRS"
        }
        if record.body[path: "\(path).publishedDate"] == nil {
            record.body[path: "\(path).publishedDate"] = .string(call.now.text)
        }
    }

    /// Three numbers, for what is the latest; fewer where the name is none.
    static func number(_ name: String) -> [Int32] {
        name.split(separator: ".", omittingEmptySubsequences: false).compactMap { part in
            part.allSatisfy(\.isNumber) ? Int32(part) : nil
        }
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        if call.query["$expand"]?.lowercased() == "replicationstatus" {
            let regions = record.body[path: "properties.publishingProfile.targetRegions"]?.array ?? []
            let isDone = record.provisioningState == "Succeeded"
            json[path: "properties.replicationStatus"] = [
                "aggregatedState": isDone ? "Completed" : "InProgress",
                "summary": .array(
                    regions.map {
                        [
                            "region": $0["name"] ?? "", "state": isDone ? "Completed" : "Replicating", "details": "",
                            "progress": isDone ? 100 : 0,
                        ]
                    }),
            ]
        }
        return json
    }
}

extension [Int32] {
    /// Numbers in their order, the first the weightiest.
    static func < (one: [Int32], other: [Int32]) -> Bool { one.lexicographicallyPrecedes(other) }
}
