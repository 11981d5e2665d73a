internal import SalvorJSON

/// The sizes that machines can have here, and what a size bounds.
struct VMSize {
    let name: String
    let cores: Int64
    let memoryMiB: Int64
    let mostDataDisks: Int

    static let all =
        [
            VMSize(name: "Standard_B1s", cores: 1, memoryMiB: 1024, mostDataDisks: 2),
            VMSize(name: "Standard_B2s", cores: 2, memoryMiB: 4096, mostDataDisks: 4),
            VMSize(name: "Standard_B2ms", cores: 2, memoryMiB: 8192, mostDataDisks: 4),
            VMSize(name: "Standard_DS1_v2", cores: 1, memoryMiB: 3584, mostDataDisks: 4),
            VMSize(name: "Standard_DS2_v2", cores: 2, memoryMiB: 7168, mostDataDisks: 8),
        ] + ["v3", "v4", "v5"].flatMap { series($0, largest: $0 == "v5" ? 96 : 64) }

    /// The sizes `D2s` and up of one version: 4 GiB for each core, and twice as many data disks as cores, 32 at most.
    private static func series(_ version: String, largest: Int64) -> [VMSize] {
        [2, 4, 8, 16, 32, 48, 64, 96].filter { $0 <= largest }.map { cores in
            VMSize(
                name: "Standard_D\(cores)s_\(version)", cores: cores, memoryMiB: cores * 4096,
                mostDataDisks: Int(min(cores * 2, 32)))
        }
    }

    /// As `vmSizes` lists it.
    var json: JSONValue {
        [
            "name": .string(name), "numberOfCores": .integer(cores), "memoryInMB": .integer(memoryMiB),
            "maxDataDiskCount": .integer(Int64(mostDataDisks)), "osDiskSizeInMB": 1_047_552,
            "resourceDiskSizeInMB": 16_384,
        ]
    }

    /// - Throws: `InvalidParameter` with the sizes that there are.
    static func named(_ name: String) throws(ARMError) -> VMSize {
        guard let size = all.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw .invalidParameter(
                "vmSize",
                "The value \(printable(name)) provided for the VM size is not valid. The valid sizes in the current region "
                    + "are: \(all.map(\.name).joined(separator: ", ")).")
        }
        return size
    }
}
