package import SalvorJSON

extension BrokenVM {
    /// - Parameters:
    ///   - json: a machine, with `properties.instanceView` where it was expanded.
    ///   - view: its instance view, where that came by itself.
    ///   - disk: its OS disk, where it was read.
    /// - Throws: ``AzureError/Code/badAnswer`` for what is no machine.
    package init(_ json: JSONValue, view: JSONValue? = nil, disk: ManagedDisk? = nil) throws(AzureError) {
        let properties = json["properties"] ?? [:]
        let storage = properties["storageProfile"]
        let seen = view ?? properties["instanceView"]
        let security = properties["securityProfile"]
        id = try json.resourceID()
        location = json["location"]?.string ?? ""
        zones = json.texts("zones")
        size = properties["hardwareProfile"]?["vmSize"]?.string ?? ""
        licenseType = properties["licenseType"]?.string
        computerName = properties["osProfile"]?["computerName"]?.string
        plan = PurchasePlan(json["plan"])
        tags = json.tags
        provisioningState = properties["provisioningState"]?.string ?? "unknown"
        etag = json["etag"]?.string
        created = properties["timeCreated"]?.string
        self.view = InstanceView(seen)
        osDisk = OSDiskReference(machine: json)
        self.disk = disk
        dataDiskCount = storage?["dataDisks"]?.array?.count ?? 0
        securityType = security?["securityType"]?.string.map { SecurityType(rawValue: $0) } ?? .standard
        encryptionAtHost = security?["encryptionAtHost"]?.bool ?? false
        networkInterfaces = Self.interfaces(properties["networkProfile"])
        extensions = Self.extensions(json, seen)
        let diagnostics = properties["diagnosticsProfile"]?["bootDiagnostics"]
        bootDiagnostics = BootDiagnosticsSetting(
            isEnabled: diagnostics?["enabled"]?.bool ?? false, storageURI: diagnostics?["storageUri"]?.string)
        scaleSet = properties["virtualMachineScaleSet"]?.id("id")
    }

    private static func interfaces(_ profile: JSONValue?) -> [ResourceID] {
        let all = (profile?["networkInterfaces"]?.array ?? []).compactMap { interface in
            interface.id("id").map { (id: $0, isPrimary: interface["properties"]?["primary"]?.bool ?? false) }
        }
        return all.filter(\.isPrimary).map(\.id) + all.filter { !$0.isPrimary }.map(\.id)
    }

    /// `resources` has each extension, whole or as its id; the instance view has those that the agent reports.
    private static func extensions(_ json: JSONValue, _ view: JSONValue?) -> [VMExtension] {
        var byName: [String: VMExtension] = [:]
        for resource in json["resources"]?.array ?? [] {
            guard let id = resource.id("id"), id.type?.lowercased().hasSuffix("/extensions") == true else { continue }
            let properties = resource["properties"]
            byName[id.name.lowercased()] = VMExtension(
                name: id.name, publisher: properties?["publisher"]?.string, type: properties?["type"]?.string,
                version: properties?["typeHandlerVersion"]?.string,
                provisioningState: properties?["provisioningState"]?.string)
        }
        for seen in view?["extensions"]?.array ?? [] {
            guard let name = seen["name"]?.string else { continue }
            var known = byName[name.lowercased()] ?? VMExtension(name: name)
            // `Crowdstrike.Falcon.FalconSensorWindows`: the agent's word for publisher and type.
            if let type = seen["type"]?.string, known.type == nil {
                let parts = type.split(separator: ".")
                known.type = parts.last.map(String.init)
                if parts.count > 1 { known.publisher = parts.dropLast().joined(separator: ".") }
            }
            byName[name.lowercased()] = known
        }
        return byName.values.sorted { $0.name < $1.name }
    }
}
