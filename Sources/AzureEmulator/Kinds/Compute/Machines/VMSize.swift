internal import SalvorJSON

/// The sizes that machines can have here, and what a size bounds.
struct VMSize {
    let name: String
    let cores: Int64
    let memoryMiB: Int64
    let mostDataDisks: Int

    static let all = [
        VMSize(name: "Standard_B2s", cores: 2, memoryMiB: 4096, mostDataDisks: 4),
        VMSize(name: "Standard_DS1_v2", cores: 1, memoryMiB: 3584, mostDataDisks: 4),
        VMSize(name: "Standard_D2s_v3", cores: 2, memoryMiB: 8192, mostDataDisks: 4),
        VMSize(name: "Standard_D2s_v5", cores: 2, memoryMiB: 8192, mostDataDisks: 4),
        VMSize(name: "Standard_D4s_v5", cores: 4, memoryMiB: 16_384, mostDataDisks: 8),
        VMSize(name: "Standard_D8s_v5", cores: 8, memoryMiB: 32_768, mostDataDisks: 16),
        VMSize(name: "Standard_D16s_v5", cores: 16, memoryMiB: 65_536, mostDataDisks: 32),
    ]

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
