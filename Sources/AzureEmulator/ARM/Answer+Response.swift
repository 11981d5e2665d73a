internal import SalvorJSON

/// How an answer goes out: status, body, and the headers that say where to ask for an operation.
extension Answer {
    func response(to request: EmulatorRequest) -> EmulatorResponse {
        switch self {
        case .done(let status, let body):
            return body.map { EmulatorResponse(status, json: $0) } ?? EmulatorResponse(status)
        case .accepted(let status, let body, let operation, let links):
            var response = body.map { EmulatorResponse(status, json: $0) } ?? EmulatorResponse(status)
            let target = operation.target
            let version = ["api-version": request.query["api-version"] ?? ""]
            func address(_ segment: String) -> String {
                "\(request.base)/subscriptions/\(target.subscription)/providers/\(target.namespace ?? "")/locations/"
                    + "\(operation.location ?? Locations.standard)/\(segment)/\(operation.id)"
            }
            switch links {
            case .asyncOperation(let segment):
                response.headers.append(("Azure-AsyncOperation", Self.link(address(segment), version)))
            case .both(let segment):
                response.headers.append(("Azure-AsyncOperation", Self.link(address(segment), version)))
                response.headers.append(
                    ("Location", Self.link(address(segment), version.merging(["monitor": "true"]) { $1 })))
            case .network:
                response.headers.append(("Azure-AsyncOperation", Self.link(address("operations"), version)))
                response.headers.append(("Location", Self.link(address("operationResults"), version)))
            case .below(let segment):
                let place = "\(request.base)\(target)/\(segment)/\(operation.id)"
                response.headers.append(("Azure-AsyncOperation", Self.link(place, version)))
            case .location:
                let place = "\(request.base)/subscriptions/\(target.subscription)/operationresults/\(operation.id)"
                response.headers.append(("Location", Self.link(place, version)))
            }
            response.headers.append(("Retry-After", "1"))
            return response
        }
    }

    static func link(_ address: String, _ query: [String: String]) -> String {
        address + "?" + query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    }
}
