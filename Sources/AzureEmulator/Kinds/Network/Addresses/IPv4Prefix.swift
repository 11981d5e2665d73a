/// An IPv4 address as a number.
struct IPv4Address: Hashable, Comparable, CustomStringConvertible {
    let value: UInt32

    init(value: UInt32) { self.value = value }

    /// - Returns: nil for text that is not four numbers of 0 to 255.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        self.value = value
    }

    static func < (one: IPv4Address, other: IPv4Address) -> Bool { one.value < other.value }

    var description: String { "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)" }
}

/// A range of addresses: `10.0.0.0/16`.
struct IPv4Prefix: Hashable, CustomStringConvertible {
    let first: IPv4Address
    let length: Int

    /// - Throws: `InvalidAddressPrefixFormat`, `InvalidCIDRNotation`.
    init(_ text: String, of resource: ResourceID) throws(ARMError) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let address = IPv4Address(halves[0]), let length = Int(halves[1]),
            (0...32).contains(length)
        else {
            throw ARMError(
                400, "InvalidAddressPrefixFormat",
                "Address prefix \(printable(text)) of resource \(resource) is not formatted correctly. It should follow CIDR "
                    + "notation, for example 10.0.0.0/24.")
        }
        let first = IPv4Address(value: address.value & Self.mask(length))
        guard first == address else {
            throw ARMError(
                400, "InvalidCIDRNotation",
                "The address prefix \(printable(text)) in resource \(resource) has an invalid CIDR notation. For the given "
                    + "prefix length, the address prefix should be \(first)/\(length).")
        }
        self.first = first
        self.length = length
    }

    /// Prefixes that were checked when they were written.
    init?(known text: String) {
        let halves = text.split(separator: "/")
        guard halves.count == 2, let address = IPv4Address(halves[0]), let length = Int(halves[1]),
            (0...32).contains(length)
        else { return nil }
        first = address
        self.length = length
    }

    private static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~0 << UInt32(32 - length) }

    var last: IPv4Address { IPv4Address(value: first.value | ~Self.mask(length)) }

    func contains(_ address: IPv4Address) -> Bool { (first...last).contains(address) }
    func contains(_ other: IPv4Prefix) -> Bool { contains(other.first) && contains(other.last) }
    func overlaps(_ other: IPv4Prefix) -> Bool { first <= other.last && other.first <= last }

    /// What Azure gives to machines: it keeps the first four addresses and the last. Nil where nothing is left.
    var usable: ClosedRange<UInt32>? {
        let size = UInt64(last.value) - UInt64(first.value) + 1
        return size > 5 ? first.value + 4...last.value - 1 : nil
    }

    var description: String { "\(first)/\(length)" }
}
