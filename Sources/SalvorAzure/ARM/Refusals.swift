internal import SalvorJSON

extension AzureError.Refusal {
    /// Reads ARM's error body: `{"error": {"code", "message", "details": [...]}}`, also bare or nested in a string.
    init(status: Int, body: JSONValue?, headers: HTTPResponse) {
        let error = body?["error"] ?? body
        var code = error?["code"]?.string
        var message = error?["message"]?.string
        // A deployment's own code says nothing: the cause is the first detail that has one.
        let details = Self.details(of: error)
        if code == nil || Self.wrappers.contains(code ?? ""), let inner = details.first {
            code = inner.code ?? code
            message = inner.message ?? message
        }
        self.init(
            status: status, code: code, message: message, requestID: headers[header: "x-ms-request-id"],
            correlationID: headers[header: "x-ms-correlation-request-id"])
    }

    private static let wrappers: Set<String> = [
        "DeploymentFailed", "InvalidTemplateDeployment", "ResourceDeploymentFailure", "MultipleErrorsOccurred",
    ]

    /// Depth first, what is innermost first.
    private static func details(of error: JSONValue?) -> [(code: String?, message: String?)] {
        (error?["details"]?.array ?? []).flatMap { detail -> [(code: String?, message: String?)] in
            // What a nested resource answered comes as text.
            let text = detail["message"]?.string ?? ""
            let nested = text.utf8.first == UInt8(ascii: "{") ? try? JSONValue.parse(text.utf8) : nil
            let inner = Self.details(of: detail) + (nested.map { Self.all($0["error"] ?? $0) } ?? [])
            return inner + [(detail["code"]?.string, detail["message"]?.string)]
        }
    }

    private static func all(_ error: JSONValue) -> [(code: String?, message: String?)] {
        details(of: error) + [(error["code"]?.string, error["message"]?.string)]
    }
}

/// What a refusal means for a rescue: from the codes of Azure to ours. One table, so that the same
/// refusal reads alike whichever call met it.
struct RefusalMeaning: Sendable {
    /// Whether the same call, later, can succeed by itself.
    enum Later: Hashable, Sendable {
        case no
        /// The refused call had no effect, and what is in its way passes.
        case yes
    }

    var code: AzureError.Code
    var nextStep: String
    var later = Later.no

    init(_ code: AzureError.Code, _ nextStep: String, later: Later = .no) {
        self.code = code
        self.nextStep = nextStep
        self.later = later
    }

    static func of(_ refusal: AzureError.Refusal) -> RefusalMeaning {
        // Whatever code it bears, OperationNotAllowed among them; but waiting gives nobody a greater quota.
        if refusal.status == 429, refusal.message?.lowercased().contains("quota") != true { return throttled }
        if refusal.code == "OperationNotAllowed" || refusal.code == "Conflict" { return ambiguous(refusal) }
        if let code = refusal.code, let known = byCode[code.lowercased()] { return known }
        switch refusal.status {
        case 401: return RefusalMeaning(.notSignedIn, signIn)
        case 403: return RefusalMeaning(.forbidden, grant)
        case 404: return RefusalMeaning(.notFound, "Check its name, resource group and subscription.")
        case 408: return RefusalMeaning(.timedOut, again, later: .yes)
        case 409: return RefusalMeaning(.conflict, "Look at the resource in the portal, then resume the run.")
        case 412:
            return RefusalMeaning(.conflict, "Somebody else changed it meanwhile. Look at it, then resume the run.")
        case 500...: return RefusalMeaning(.failed, again, later: .yes)
        default: return RefusalMeaning(.invalid, "This is probably a fault of Salvor: report it with the request id.")
        }
    }

    private static let throttled = RefusalMeaning(
        .throttled, "Wait some minutes, then resume the run.", later: .yes)
    private static let signIn = "Sign in (az login, or the AZURE_… environment variables), then resume the run."
    private static let grant =
        "Have the role in Coordinator/azure/role.json assigned to who runs Salvor, then resume the run."
    private static let again = "Azure had trouble of its own. Resume the run."
    private static let size = "Name another size with --size, or a zone or region that has it."

    /// Codes that Azure uses for several things; only the message tells them apart.
    private static func ambiguous(_ refusal: AzureError.Refusal) -> RefusalMeaning {
        let message = refusal.message?.lowercased() ?? ""
        func says(_ words: String...) -> Bool { words.allSatisfy { message.contains($0) } }
        if says("quota") {
            return RefusalMeaning(.notAllowed, "Ask for more quota in that region, or name a smaller size with --size.")
        }
        if says("run command extension execution is in progress") || says("another", "operation")
            || says("in progress") || says("being updated")
        {
            return RefusalMeaning(
                .conflict, "Wait until the other operation has ended, then resume the run.", later: .yes)
        }
        if says("maximum number of data disks") || says("data disks", "exceed") || says("cannot be attached", "number")
        {
            return RefusalMeaning(.notAllowed, "Name a size with --size that takes more data disks.")
        }
        if says("attached to vm") || says("currently attached") || says("is attached") {
            return RefusalMeaning(.conflict, "Detach the disk, then resume the run.")
        }
        if says("running") {
            return RefusalMeaning(.conflict, "Bring the machine into the state that the message asks for, then resume.")
        }
        return RefusalMeaning(.conflict, "Look at the resource in the portal, then resume the run.")
    }

    /// By Azure's code, lower-cased.
    private static let byCode: [String: RefusalMeaning] = {
        let table: [(codes: [String], meaning: RefusalMeaning)] = [
            (
                ["ConflictingUserInput"],
                RefusalMeaning(
                    .conflict, "Find out which machine has the disk and detach it there, then resume the run.")
            ),
            (
                ["AttachDiskWhileBeingDetached"],
                RefusalMeaning(.conflict, "Wait until the disk is detached. Last resort: force-detach it.", later: .yes)
            ),
            (
                [
                    "AnotherOperationInProgress", "ConflictingConcurrentWriteNotAllowed", "RetryableError",
                    "DeploymentActive",
                    "RetryableErrorDueToAnotherOperation", "ReferencedResourceNotProvisioned", "OperationPreempted",
                    "InternalDiskManagementError", "ServerTimeout",
                ],
                RefusalMeaning(.conflict, "Wait until the other operation has ended, then resume the run.", later: .yes)
            ),
            (
                ["TooManyRequests", "OperationsThrottled", "SubscriptionRequestsThrottled"],
                RefusalMeaning(.throttled, "Wait some minutes, then resume the run.", later: .yes)
            ),
            (
                [
                    "SkuNotAvailable", "NotAvailableForSubscription", "AllocationFailed", "ZonalAllocationFailed",
                    "OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest",
                ],
                RefusalMeaning(.notAllowed, size)
            ),
            (
                ["QuotaExceeded"],
                RefusalMeaning(.notAllowed, "Ask for more quota in that region, or name a smaller size with --size.")
            ),
            (
                ["ScopeLocked"],
                RefusalMeaning(.notAllowed, "Have the lock that the message names removed, then resume the run.")
            ),
            (
                ["RequestDisallowedByPolicy"],
                RefusalMeaning(
                    .notAllowed, "Give the tags that the policy demands with --tags, or have it exempt the run.")
            ),
            (
                ["ResourceGroupBeingDeleted", "ResourceGroupDeletionInProgress"],
                RefusalMeaning(.conflict, "Wait until the group is gone, then begin a new run.")
            ),
            (
                [
                    "PropertyChangeNotAllowed", "OSDiskSwapNotSupportedForVMsUsingDiskEncryption", "InvalidParameter",
                    "BadRequest", "InvalidRequestContent",
                ],
                RefusalMeaning(.invalid, "The machine is as it was. Report the message with its request id.")
            ),
            (
                ["AuthorizationFailed", "LinkedAuthorizationFailed", "Forbidden", "AuthorizationPermissionMismatch"],
                RefusalMeaning(.forbidden, grant)
            ),
            (
                [
                    "ResourceNotFound", "NotFound", "ResourceGroupNotFound", "SubscriptionNotFound",
                    "ParentResourceNotFound",
                    "DiskNotFound",
                ],
                RefusalMeaning(.notFound, "Check its name, resource group and subscription.")
            ),
            (
                [
                    "ExpiredAuthenticationToken", "InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant",
                    "AuthenticationFailed",
                ], RefusalMeaning(.notSignedIn, signIn)
            ),
        ]
        var byCode: [String: RefusalMeaning] = [:]
        for row in table { for code in row.codes { byCode[code.lowercased()] = row.meaning } }
        return byCode
    }()
}

extension AzureError {
    /// - Parameter doing: what was asked, `PUT …/disks/x`.
    init(_ refusal: Refusal, doing: String) {
        let meaning = RefusalMeaning.of(refusal)
        let said = [refusal.code, refusal.message].compactMap { $0 }.joined(separator: ": ")
        let id = refusal.requestID.map { " (request \($0))" } ?? ""
        self.init(
            meaning.code, "Azure refused \(doing) with \(refusal.status)\(said.isEmpty ? "" : ", \(said)")\(id).",
            nextStep: meaning.nextStep, refusal: refusal)
    }
}
