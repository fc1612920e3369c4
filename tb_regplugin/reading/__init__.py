"""From event files, by TensorBoard's data provider, to columns and buckets."""
