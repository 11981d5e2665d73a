enum SalvorWirePlaceholder {}
