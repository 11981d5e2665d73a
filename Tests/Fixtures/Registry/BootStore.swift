/// The boot manager's hive, BCD, with the entries that a Windows setup makes.
package struct BootStore: Sendable {
    /// The entry that starts Windows.
    package static let windows = "{7619dcc9-fafe-11d9-b411-000476eba25f}"
    private static let recovery = "{572bcd55-ffa7-11d9-aae2-0007e994107d}"
    private static let bootManager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"

    /// 0 minimal, 1 network; nil for a start as usual.
    package var safeBoot: UInt64?
    package var namesDefault = true
    /// A second installation on the same disk.
    package var hasSecondEntry = false

    package init() {}

    package init(_ change: (inout BootStore) -> Void) { change(&self) }

    package var keys: HiveMaker.Keys {
        func object(_ name: String, _ type: UInt32) -> HiveMaker.Keys {
            ["Objects\\\(name)\\Description": ["Type": .number(type)]]
        }
        func element(_ object: String, _ number: String, _ value: HiveMaker.Value) -> HiveMaker.Keys {
            ["Objects\\\(object)\\Elements\\\(number)": ["Element": value]]
        }
        var parts = [
            ["Description": ["KeyName": HiveMaker.Value.text("BCD00000000"), "System": .number(1)]],
            object(Self.bootManager, 0x1010_0002), object(Self.windows, 0x1020_0003),
            object(Self.recovery, 0x1020_0004),
            element(Self.bootManager, "12000004", .text("Windows Boot Manager")),
            element(Self.windows, "12000004", .text("Windows Server 2019")),
            element(Self.windows, "12000002", .text("\\Windows\\system32\\winload.efi")),
            element(Self.windows, "25000020", .binary([0, 0, 0, 0, 0, 0, 0, 0])),
        ]
        if namesDefault { parts.append(element(Self.bootManager, "23000003", .text(Self.windows))) }
        if hasSecondEntry { parts.append(object("{11111111-2222-3333-4444-555555555555}", 0x1020_0003)) }
        if let safeBoot {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: safeBoot >> (8 * UInt64($0))) }
            parts.append(element(Self.windows, "25000080", .binary(bytes)))
        }
        return parts.reduce(into: [:]) { $0.merge($1) { $1 } }
    }

    package func bytes() throws -> [UInt8] { try HiveMaker.make(keys) }
}
