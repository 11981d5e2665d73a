internal import SalvorJSON

/// Azure reads the values of its enumerations in any case, and always writes them in its own.
enum EnumSpelling {
    /// By the lower-cased name of the member that holds them.
    private static let values: [String: [String]] = [
        "access": ["Allow", "Deny", "None", "Read", "Write"],
        "caching": ["None", "ReadOnly", "ReadWrite"],
        "createoption": [
            "Attach", "FromImage", "Empty", "Copy", "CopyStart", "CopyFromSanSnapshot", "Restore", "Import",
            "ImportSecure",
            "Upload", "UploadPreparedSecure",
        ],
        "deleteoption": ["Delete", "Detach"],
        "detachoption": ["ForceDetach"],
        "direction": ["Inbound", "Outbound"],
        "hypervgeneration": ["V1", "V2"],
        "networkaccesspolicy": ["AllowAll", "AllowPrivate", "DenyAll"],
        "osstate": ["Generalized", "Specialized"],
        "ostype": ["Windows", "Linux"],
        "privateipallocationmethod": ["Dynamic", "Static"],
        "publicipallocationmethod": ["Dynamic", "Static"],
        "publicnetworkaccess": ["Enabled", "Disabled"],
        "securitytype": ["TrustedLaunch", "ConfidentialVM"],
        "storageaccounttype": [
            "Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "UltraSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS",
            "PremiumV2_LRS", "Standard_ZRS",
        ],
    ]

    private static let canonical: [String: [String: String]] = values.mapValues { values in
        Dictionary(uniqueKeysWithValues: values.map { ($0.lowercased(), $0) })
    }

    /// The body with its enumerations as Azure writes them; what is no value of one stays, and so do tags.
    static func canonical(_ json: JSONValue) -> JSONValue {
        switch json {
        case .array(let items): return .array(items.map(canonical))
        case .object(let members):
            var result: [String: JSONValue] = [:]
            result.reserveCapacity(members.count)
            for (name, value) in members {
                let lowered = name.lowercased()
                if case .string(let text) = value {
                    result[name] = canonical[lowered]?[text.lowercased()].map { .string($0) } ?? value
                } else {
                    result[name] = lowered == "tags" ? value : canonical(value)
                }
            }
            return .object(result)
        default: return json
        }
    }
}
