/// What of Azure's sizes a subscription can have: what is not available where, and how many cores.
package struct ComputeOffer: Sendable {
    /// A size that is not available in a location, or in one of its zones.
    package struct Restriction: Sendable, Hashable {
        package var size: String
        package var location: String
        /// Nil: in all of the location.
        package var zone: String?

        package init(size: String, location: String, zone: String? = nil) {
            self.size = size
            self.location = location
            self.zone = zone
        }
    }

    package var restrictions: [Restriction]
    /// Most cores in each location, by family (`standardDSv5Family`) or `cores` for all together.
    package var coreLimits: [String: Int64]
    package static let standardCoreLimit: Int64 = 10_000

    package init(restrictions: [Restriction] = [], coreLimits: [String: Int64] = [:]) {
        self.restrictions = restrictions
        self.coreLimits = Dictionary(coreLimits.map { ($0.key.lowercased(), $0.value) }) { $1 }
    }

    func coreLimit(of family: String) -> Int64 { coreLimits[family.lowercased()] ?? Self.standardCoreLimit }

    func restrictions(of size: VMSize, in location: String) -> [Restriction] {
        restrictions.filter {
            $0.size.lowercased() == size.name.lowercased() && Locations.plain($0.location) == location
        }
    }
}

extension VMSize {
    /// Whether a machine of this size can be made there.
    /// - Parameter zones: those that the machine asks for; none for any.
    /// - Throws: 409 `SkuNotAvailable`.
    func checkAvailable(in location: String, zones: [String], _ offer: ComputeOffer) throws(ARMError) {
        let found = offer.restrictions(of: self, in: location)
        let isMissing =
            found.contains { $0.zone == nil } || found.contains { $0.zone.map(zones.contains) ?? false }
        guard isMissing else { return }
        throw ARMError(
            409, "SkuNotAvailable",
            "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: \(name)' is currently "
                + "not available in location '\(location)'. Please try another size or deploy to a different location or "
                + "different zone. See https://aka.ms/azureskunotavailable for details.")
    }
}
