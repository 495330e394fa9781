package compile

// enabled is how S3 says that a bucket keeps versions.
const enabled = "Enabled"

// checkVersions refuses a destination that could not hold what copy.versions: all brings there: without versioning each
// version replaces the one before, and a delete marker deletes. A bucket that is made gets it.
func (b *builder) checkVersions(br branch) {
	subject := "bucket " + br.pair.Destination
	switch {
	case !br.dst.Exists || br.dst.Foreign || br.dst.Versioning == enabled || b.halfMade(br):
	case b.unseenOf("versioning of bucket " + br.pair.Destination):
		b.problem(subject, "copy.versions: all wants it to keep versions, and whether it does could not be read",
			"allow s3:GetBucketVersioning to the destination's administrator")
	default:
		b.problem(subject, "copy.versions: all wants it to keep versions, and its versioning is "+first(br.dst.Versioning, "off"),
			"aws s3api put-bucket-versioning --bucket "+br.pair.Destination+" --versioning-configuration Status=Enabled")
	}
}
