/// What a BCD hive says of how its default entry starts Windows, and the one thing of it that is changed. Source: “BCD
/// reference”, Microsoft: BcdBootMgrObject_DefaultObject, BcdOSLoaderInteger_SafeBoot.
package enum BootConfiguration {
    package enum SafeBoot: Hashable, Sendable {
        case off
        case minimal
        case network
        /// Directory services are repaired, or a number that Windows does not document.
        case other(UInt64)

        fileprivate init(_ number: UInt64) {
            switch number {
            case 0: self = .minimal
            case 1: self = .network
            default: self = .other(number)
            }
        }

        fileprivate var number: UInt64? {
            switch self {
            case .off: nil
            case .minimal: 0
            case .network: 1
            case .other(let number): number
            }
        }
    }

    private static let bootManager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
    private static let defaultObject = "23000003"
    private static let safeBootElement = "25000080"
    private static let osLoaderType: UInt32 = 0x1020_0003

    /// - Throws: ``HiveError`` where there is no entry that starts Windows.
    package static func safeBoot(_ hive: borrowing Hive) throws(HiveError) -> SafeBoot {
        guard let elements = hive.key(["Objects", try defaultEntry(hive), "Elements"]),
            let key = hive.key([safeBootElement], below: elements)
        else { return .off }
        guard let value = hive.data("Element", of: key), (1...8).contains(value.bytes.count) else {
            throw HiveError("The default entry's safe boot is no number.")
        }
        return SafeBoot(value.bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// - Throws: ``HiveError``
    package static func set(_ mode: SafeBoot, in hive: borrowing Hive) throws(HiveError) {
        let path = ["Objects", try defaultEntry(hive), "Elements", safeBootElement]
        guard let number = mode.number else {
            if let key = hive.key(path) { try hive.delete(key) }
            return
        }
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        try hive.set("Element", to: .binary(bytes), of: try hive.makeKey(path))
    }

    /// The boot manager's default; where it names none, the one entry that starts Windows.
    private static func defaultEntry(_ hive: borrowing Hive) throws(HiveError) -> String {
        if let element = hive.key(["Objects", bootManager, "Elements", defaultObject]),
            let name = hive.text("Element", of: element), isOSLoader(name, hive)
        {
            return name
        }
        guard let objects = hive.key(["Objects"]) else { throw HiveError("It holds no boot entries.") }
        var loaders: [String] = []
        for object in hive.children(of: objects, limit: 1000) {
            if let name = hive.name(of: object), isOSLoader(name, hive) { loaders.append(name) }
        }
        guard loaders.count == 1, let only = loaders.first else {
            throw HiveError("\(loaders.count) of its entries start Windows, and none is the default.")
        }
        return only
    }

    private static func isOSLoader(_ name: String, _ hive: borrowing Hive) -> Bool {
        guard let description = hive.key(["Objects", name, "Description"]) else { return false }
        return hive.number("Type", of: description) == osLoaderType
    }
}
