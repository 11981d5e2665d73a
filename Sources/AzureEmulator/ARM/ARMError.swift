package import SalvorJSON

/// What Azure answers when it does not do what was asked: an HTTP status, a code that programs read, and a message.
package struct ARMError: Error, Hashable, Sendable {
    package var status: Int
    /// `ResourceNotFound`, `OperationNotAllowed`, …, as Azure spells it.
    package var code: String
    package var message: String
    /// The property or resource that is at fault.
    package var target: String?
    /// Headers beside the error: `Retry-After`, `WWW-Authenticate`.
    package var headers: [String: String]
    /// What lies behind it.
    package var details: [ARMError]
    /// What else there is to say, as `{"type": …, "info": …}`.
    package var additionalInfo: [JSONValue] = []
    /// The code of a service's own, within the error.
    package var innerCode: String?

    package init(
        _ status: Int, _ code: String, _ message: String, target: String? = nil, headers: [String: String] = [:],
        details: [ARMError] = []
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.headers = headers
        self.details = details
    }

    /// `{"code": …, "message": …}`, as it stands in an answer's and in an operation's `error`.
    package var json: JSONValue {
        var members: [String: JSONValue] = ["code": .string(code), "message": .string(message)]
        if let target { members["target"] = .string(target) }
        if !details.isEmpty { members["details"] = .array(details.map(\.json)) }
        if let innerCode { members["innererror"] = ["code": .string(innerCode)] }
        if !additionalInfo.isEmpty { members["additionalInfo"] = .array(additionalInfo) }
        return .object(members)
    }
}

extension ARMError {
    static func resourceNotFound(_ id: ResourceID) -> ARMError {
        let kind = id.type
        if id.namespace == nil, let group = id.resourceGroup {
            return ARMError(404, "ResourceGroupNotFound", "Resource group '\(group)' could not be found.")
        }
        return ARMError(
            404, "ResourceNotFound",
            "The Resource '\(kind)/\(id.names.joined(separator: "/"))' under resource group '\(id.resourceGroup ?? "")' "
                + "was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix")
    }

    /// For a request that names a child of what there is not.
    static func parentNotFound(_ id: ResourceID, _ parent: ResourceID, _ method: String) -> ARMError {
        let verb = ["GET": "read", "HEAD": "read", "DELETE": "delete"][method] ?? "write"
        return ARMError(
            404, "ParentResourceNotFound",
            "Failed to perform '\(verb)' on resource(s) of type '\(id.types.joined(separator: "/"))', because the parent "
                + "resource '\(parent)' could not be found.")
    }

    static func groupNotFound(_ name: String) -> ARMError {
        ARMError(404, "ResourceGroupNotFound", "Resource group '\(name)' could not be found.")
    }

    static func subscriptionNotFound(_ id: String) -> ARMError {
        ARMError(404, "SubscriptionNotFound", "The subscription '\(id)' could not be found.")
    }

    static func invalidParameter(_ target: String, _ message: String) -> ARMError {
        ARMError(400, "InvalidParameter", message, target: target)
    }

    static func requiredParameter(_ target: String) -> ARMError {
        ARMError(400, "InvalidParameter", "Required parameter '\(target)' is missing (null).", target: target)
    }

    static var bodyTooLong: ARMError {
        ARMError(
            413, "RequestContentTooLarge",
            "The request content size exceeds the maximum size of \(Emulator.longestBody) bytes.")
    }

    static func methodNotAllowed(_ method: String) -> ARMError {
        ARMError(405, "MethodNotAllowed", "The HTTP method '\(method)' is not supported at this address.")
    }
}
