enum SalvorDigestPlaceholder {}
